-- As claim.sql, where there are limits too: what is leased already counts. What a cap forbids is moved
-- out of the claim's way; what is paused takes no room under a limit.
-- Plan: pending_ready as in claim.sql, a few caps, pending_running.
-- Limits are kept exactly when claims run one by one: see claiming.py.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH picked AS (
    SELECT id, category, tenant_id, handler, target, turn FROM dispatch_pendingdelivery
    WHERE state = 'ready' AND category = %(category)s AND lane = %(lane)s AND turn >= %(since)s
    ORDER BY turn, tenant_id
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), paused AS (
    SELECT d.id, min(c.id) AS cap_id
    FROM picked d JOIN dispatch_cap c
      ON c.category IN ('', d.category) AND (c.tenant_id IS NULL OR c.tenant_id = d.tenant_id)
     AND c.handler IN ('', d.handler) AND c.target IN ('', d.target)
    WHERE c.at_most = 0 GROUP BY d.id
), limited AS (
    SELECT d.id, c.id AS cap_id, c.at_most,
           row_number() OVER (PARTITION BY c.id ORDER BY d.turn, d.tenant_id, d.id) AS nth
    FROM picked d JOIN dispatch_cap c
      ON c.category IN ('', d.category) AND (c.tenant_id IS NULL OR c.tenant_id = d.tenant_id)
     AND c.handler IN ('', d.handler) AND c.target IN ('', d.target)
    WHERE c.at_most > 0 AND d.id NOT IN (SELECT id FROM paused)
), leased AS (
    SELECT c.id AS cap_id, count(*) AS n
    FROM dispatch_cap c JOIN dispatch_pendingdelivery r
      ON r.state = 'running'
     AND c.category IN ('', r.category) AND (c.tenant_id IS NULL OR c.tenant_id = r.tenant_id)
     AND c.handler IN ('', r.handler) AND c.target IN ('', r.target)
    WHERE c.at_most > 0 GROUP BY c.id
), kept_back AS (
    SELECT DISTINCT ON (limited.id) limited.id, limited.cap_id
    FROM limited LEFT JOIN leased USING (cap_id)
    WHERE limited.nth + COALESCE(leased.n, 0) > limited.at_most
    ORDER BY limited.id, limited.at_most, limited.cap_id
), forbidden AS (
    SELECT id, cap_id FROM paused UNION ALL SELECT id, cap_id FROM kept_back
)
UPDATE dispatch_pendingdelivery p
SET state = CASE WHEN k.id IS NULL THEN 'running' ELSE 'paused' END,
    cap_id = k.cap_id,
    lease = CASE WHEN k.id IS NULL THEN %(lease)s::uuid END,
    lease_until = CASE WHEN k.id IS NULL THEN now() + %(lease_for)s END,
    attempts = attempts + CASE WHEN k.id IS NULL THEN 1 ELSE 0 END,
    runs_alone = false
FROM picked LEFT JOIN forbidden k ON k.id = picked.id
WHERE p.id = picked.id AND p.id = ANY(ARRAY(SELECT id FROM picked))
RETURNING p.id, p.tenant_id, p.event_uid, p.handler, p.target, p.stream, p.category, p.priority,
          p.lane, p.attempts, p.failures, p.crashes, p.accepted_at, p.include_external,
          p.replay_id, p.is_redriven, p.lease_until, p.turn, p.state
