-- Deliveries that a cap kept back become ready, first come first, in turn with the others. Another cap
-- that forbids them takes them at their claim. Plan: pending_paused, ascending, `limit` rows.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH freed AS (
    SELECT id FROM dispatch_pendingdelivery
    WHERE state = 'paused' AND cap_id = %(cap_id)s
    ORDER BY turn LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), clock AS (
    SELECT * FROM unnest(%(clock_categories)s::text[], %(clock_lanes)s::int[],
                         %(clock_turns)s::float8[]) AS c(category, lane, turn)
)
UPDATE dispatch_pendingdelivery p
SET state = 'ready', cap_id = NULL, turn = GREATEST(p.turn, (
    SELECT c.turn FROM clock c WHERE c.category = p.category AND c.lane = p.lane))
WHERE p.id = ANY(ARRAY(SELECT id FROM freed))
RETURNING p.category
