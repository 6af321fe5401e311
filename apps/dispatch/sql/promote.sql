-- The next of each stream that has no active delivery becomes ready, in turn with the others.
-- Runs after finish.sql, as any_waiting.sql before it, as a statement of its own: its snapshot sees what the
-- router added meanwhile.
-- A turn below the clock would overtake everybody, so it is raised to it.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH keys AS (
    SELECT DISTINCT * FROM unnest(
        %(tenants)s::int[], %(handlers)s::text[], %(targets)s::text[], %(streams)s::text[])
        AS k(tenant_id, handler, target, stream)
), next AS (
    SELECT w.id FROM keys k
    CROSS JOIN LATERAL (
        SELECT p.id FROM dispatch_pendingdelivery p
        WHERE p.tenant_id = k.tenant_id AND p.handler = k.handler AND p.target = k.target
          AND p.stream = k.stream AND p.state = 'waiting'
        ORDER BY COALESCE(p.place, p.id) LIMIT 1
    ) w
    WHERE NOT EXISTS (
        SELECT FROM dispatch_pendingdelivery p
        WHERE p.tenant_id = k.tenant_id AND p.handler = k.handler AND p.target = k.target
          AND p.stream = k.stream AND p.state <> 'waiting')
), clock AS (
    SELECT * FROM unnest(%(clock_categories)s::text[], %(clock_lanes)s::int[],
                         %(clock_turns)s::float8[]) AS c(category, lane, turn)
)
UPDATE dispatch_pendingdelivery p
SET state = 'ready', turn = GREATEST(p.turn, (
    SELECT c.turn FROM clock c WHERE c.category = p.category AND c.lane = p.lane))
WHERE p.id = ANY(ARRAY(SELECT id FROM next)) AND p.state = 'waiting'
RETURNING p.category
