-- The newest of streams whose older deliveries were superseded run in their place, under our lease.
-- In the transaction of supersede.sql, which removed the heads: one active delivery a stream.
UPDATE dispatch_pendingdelivery p
SET state = 'running', lease = %(lease)s, lease_until = now() + %(lease_for)s,
    attempts = attempts + 1, runs_alone = false
WHERE p.id = ANY(%(ids)s) AND p.state = 'waiting'
RETURNING p.id, p.tenant_id, p.event_uid, p.handler, p.target, p.stream, p.category, p.priority,
          p.lane, p.attempts, p.failures, p.crashes, p.accepted_at, p.include_external,
          p.replay_id, p.is_redriven, p.lease_until, p.turn
