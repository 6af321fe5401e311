-- For each stream key: an unfinished delivery of that stream, if there is one.
-- Plan: two index probes a key (one_active_per_stream, pending_waiting); LATERAL forbids a scan.
SELECT k.n, COALESCE(active.id, waiting.id) AS id
FROM unnest(%(tenants)s::int[], %(handlers)s::text[], %(targets)s::text[], %(streams)s::text[])
     WITH ORDINALITY AS k(tenant_id, handler, target, stream, n)
LEFT JOIN LATERAL (
    SELECT id FROM dispatch_pendingdelivery p
    WHERE p.tenant_id = k.tenant_id AND p.handler = k.handler AND p.target = k.target
      AND p.stream = k.stream AND p.state <> 'waiting'
    LIMIT 1
) active ON true
LEFT JOIN LATERAL (
    SELECT id FROM dispatch_pendingdelivery p
    WHERE p.tenant_id = k.tenant_id AND p.handler = k.handler AND p.target = k.target
      AND p.stream = k.stream AND p.state = 'waiting'
    LIMIT 1
) waiting ON true
WHERE COALESCE(active.id, waiting.id) IS NOT NULL
