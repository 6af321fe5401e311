-- The causes of open dead letters, the most frequent first; with `only`, that one alone.
-- Plan: deadletter_group throughout, whatever the number of rows. Causes are found by jumping from one
-- fingerprint to the next (one probe each, `most_causes` at most); each is counted up to `most` rows,
-- and all together up to about `budget`: before a vacuum each counted row is a look into the table.
-- Lock: none.  Rows: one a cause.
WITH RECURSIVE causes AS (
    SELECT CASE WHEN %(only)s <> '' THEN %(only)s ELSE
        (SELECT fingerprint FROM fallback_deadletter WHERE state = 'open'
         ORDER BY fingerprint LIMIT 1) END AS fingerprint
    UNION ALL
    SELECT (SELECT d.fingerprint FROM fallback_deadletter d
            WHERE d.state = 'open' AND d.fingerprint > c.fingerprint
            ORDER BY d.fingerprint LIMIT 1)
    FROM causes c WHERE c.fingerprint IS NOT NULL AND %(only)s = ''
),
known AS (
    SELECT fingerprint FROM causes WHERE fingerprint IS NOT NULL LIMIT %(most_causes)s
),
allowed AS (
    SELECT LEAST(%(most)s, GREATEST(100, %(budget)s / GREATEST(1, count(*)))) AS rows FROM known
)
SELECT k.fingerprint, n.count, newest.id, newest.died_at, oldest.died_at,
       n.count >= (SELECT rows FROM allowed)
FROM known k
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM fallback_deadletter d
        WHERE d.state = 'open' AND d.fingerprint = k.fingerprint
        LIMIT (SELECT rows FROM allowed)) capped) n
CROSS JOIN LATERAL (
    SELECT d.id, d.died_at FROM fallback_deadletter d
    WHERE d.state = 'open' AND d.fingerprint = k.fingerprint
    ORDER BY d.died_at DESC LIMIT 1) newest
CROSS JOIN LATERAL (
    SELECT d.died_at FROM fallback_deadletter d
    WHERE d.state = 'open' AND d.fingerprint = k.fingerprint
    ORDER BY d.died_at LIMIT 1) oldest
ORDER BY n.count DESC, newest.died_at DESC
