-- Whether anything waits in any of these streams: most often nothing does, and this is planned and run in a
-- third of the time that promote.sql takes. Plan: pending_waiting, one probe a key; LATERAL forbids a scan.
SELECT true AS any_waiting
FROM unnest(%(tenants)s::int[], %(handlers)s::text[], %(targets)s::text[], %(streams)s::text[])
     AS k(tenant_id, handler, target, stream)
CROSS JOIN LATERAL (
    SELECT FROM dispatch_pendingdelivery p
    WHERE p.tenant_id = k.tenant_id AND p.handler = k.handler AND p.target = k.target
      AND p.stream = k.stream AND p.state = 'waiting'
    LIMIT 1
) w
LIMIT 1
