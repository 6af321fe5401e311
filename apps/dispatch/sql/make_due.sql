-- Scheduled deliveries whose time has come, in turn with the others. Plan: pending_scheduled up to now.
-- They keep the time: since then they wait for a worker.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH due AS (
    SELECT id FROM dispatch_pendingdelivery
    WHERE state = 'scheduled' AND due_at <= now() AND due_at >= %(since)s
    ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), clock AS (
    SELECT * FROM unnest(%(clock_categories)s::text[], %(clock_lanes)s::int[],
                         %(clock_turns)s::float8[]) AS c(category, lane, turn)
)
UPDATE dispatch_pendingdelivery p
SET state = 'ready', turn = GREATEST(p.turn, (
    SELECT c.turn FROM clock c WHERE c.category = p.category AND c.lane = p.lane))
WHERE p.id = ANY(ARRAY(SELECT id FROM due))
RETURNING p.category
