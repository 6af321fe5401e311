-- Streams whose waiting deliveries have no active one before them: what slipped through.
-- Plan: pending_waiting as a whole, so it runs now and then, not every second.
SELECT DISTINCT w.tenant_id, w.handler, w.target, w.stream
FROM dispatch_pendingdelivery w
WHERE w.state = 'waiting' AND NOT EXISTS (
    SELECT FROM dispatch_pendingdelivery p
    WHERE p.tenant_id = w.tenant_id AND p.handler = w.handler AND p.target = w.target
      AND p.stream = w.stream AND p.state <> 'waiting')
LIMIT %(limit)s
