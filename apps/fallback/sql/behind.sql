-- How many deliveries wait in some streams of a tenant.
-- Plan: pending_waiting, `most` rows a stream.  Lock: none.  Rows: one a stream.
SELECT k.handler, k.target, k.stream, n.count
FROM unnest(%(handlers)s::text[], %(targets)s::text[], %(streams)s::text[])
    AS k(handler, target, stream)
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM dispatch_pendingdelivery p
        WHERE p.state = 'waiting' AND p.tenant_id = %(tenant)s AND p.handler = k.handler
          AND p.target = k.target AND p.stream = k.stream
        LIMIT %(most)s) capped) n
