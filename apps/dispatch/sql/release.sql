-- Claimed but not started: back to ready, with its attempt, in turn with the others. Fenced.
WITH clock AS (
    SELECT * FROM unnest(%(clock_categories)s::text[], %(clock_lanes)s::int[],
                         %(clock_turns)s::float8[]) AS c(category, lane, turn)
)
UPDATE dispatch_pendingdelivery p
SET state = 'ready', lease = NULL, lease_until = NULL, runs_alone = false,
    attempts = attempts - 1, turn = GREATEST(p.turn, (
    SELECT c.turn FROM clock c WHERE c.category = p.category AND c.lane = p.lane))
WHERE id = ANY(%(ids)s) AND lease = %(lease)s
RETURNING id
