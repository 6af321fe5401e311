-- Up to `limit` ready deliveries of a category and lane in fair order, leased to one worker. What a pause
-- forbids is moved out of the claim's way in the same statement (paused, with the cap's id, no attempt
-- counted): each such row costs once.
-- Plan: pending_ready, ascending from `since`; rows that others claim at the moment are skipped.
-- NO KEY, so that the router's hold on a head (lock_heads.sql) does not hide it. Attempts are counted
-- here. Takes nothing where the whole category is paused, or under a limit: claim_limited.sql does then.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH picked AS (
    SELECT id, tenant_id, handler, target FROM dispatch_pendingdelivery
    WHERE state = 'ready' AND category = %(category)s AND lane = %(lane)s AND turn >= %(since)s
      AND NOT EXISTS (
          SELECT FROM dispatch_cap
          WHERE at_most > 0 AND category IN ('', %(category)s) AND handler = ANY(%(handlers)s)
             OR category = %(category)s AND tenant_id IS NULL AND handler = '')
    ORDER BY turn, tenant_id
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), paused AS (
    SELECT d.id, min(c.id) AS cap_id
    FROM picked d JOIN dispatch_cap c
      ON c.category IN ('', %(category)s) AND (c.tenant_id IS NULL OR c.tenant_id = d.tenant_id)
     AND c.handler IN ('', d.handler) AND c.target IN ('', d.target)
    WHERE EXISTS (SELECT FROM dispatch_cap) AND c.at_most = 0
    GROUP BY d.id
), parked AS (
    UPDATE dispatch_pendingdelivery p
    SET state = 'paused', cap_id = paused.cap_id, runs_alone = false
    FROM paused WHERE p.id = paused.id AND p.id = ANY(ARRAY(SELECT id FROM paused))
    RETURNING p.id, p.tenant_id, p.event_uid, p.handler, p.target, p.stream, p.category, p.priority,
          p.lane, p.attempts, p.failures, p.crashes, p.accepted_at, p.include_external,
          p.replay_id, p.is_redriven, p.lease_until, p.turn, p.state
), leased AS (
    UPDATE dispatch_pendingdelivery p
    SET state = 'running', lease = %(lease)s, lease_until = now() + %(lease_for)s,
        attempts = attempts + 1, runs_alone = false
    WHERE p.id = ANY(ARRAY(SELECT id FROM picked EXCEPT ALL SELECT id FROM paused))
    RETURNING p.id, p.tenant_id, p.event_uid, p.handler, p.target, p.stream, p.category, p.priority,
          p.lane, p.attempts, p.failures, p.crashes, p.accepted_at, p.include_external,
          p.replay_id, p.is_redriven, p.lease_until, p.turn, p.state
)
SELECT * FROM leased UNION ALL SELECT * FROM parked
