-- The newest of the deliveries that wait behind each of these heads, locked until we commit.
-- Plan: the last entry of pending_waiting for each key. What the router adds meanwhile just waits on.
SELECT k.n, w.id
FROM unnest(%(tenants)s::int[], %(handlers)s::text[], %(targets)s::text[], %(streams)s::text[])
     WITH ORDINALITY AS k(tenant_id, handler, target, stream, n)
CROSS JOIN LATERAL (
    SELECT p.id FROM dispatch_pendingdelivery p
    WHERE p.tenant_id = k.tenant_id AND p.handler = k.handler AND p.target = k.target
      AND p.stream = k.stream AND p.state = 'waiting'
    ORDER BY COALESCE(p.place, p.id) DESC LIMIT 1
    FOR NO KEY UPDATE
) w
