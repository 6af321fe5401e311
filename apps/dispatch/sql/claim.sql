-- Up to `limit` ready deliveries of a category and lane in fair order, leased to one worker.
-- Plan: pending_ready, ascending from `since`; rows that others claim at the moment are skipped.
-- NO KEY, so that the router's hold on a head (lock_heads.sql) does not hide it. Attempts are counted
-- here. Takes nothing while there is any cap: claim_capped.sql does then.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH picked AS (
    SELECT id FROM dispatch_pendingdelivery
    WHERE state = 'ready' AND category = %(category)s AND lane = %(lane)s AND turn >= %(since)s
      AND NOT EXISTS (SELECT FROM dispatch_cap)
    ORDER BY turn, tenant_id
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE dispatch_pendingdelivery p
SET state = 'running', lease = %(lease)s, lease_until = now() + %(lease_for)s,
    attempts = attempts + 1, runs_alone = false
WHERE p.id = ANY(ARRAY(SELECT id FROM picked))
RETURNING p.id, p.tenant_id, p.event_uid, p.handler, p.target, p.stream, p.category, p.priority,
          p.lane, p.attempts, p.failures, p.crashes, p.accepted_at, p.include_external,
          p.replay_id, p.is_redriven, p.lease_until, p.turn
