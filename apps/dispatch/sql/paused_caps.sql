-- The caps that keep deliveries back: null for one that is gone, else how much room it has.
-- Plan: loose scan of pending_paused, one probe a cap; pending_running only where there are limits.
WITH RECURSIVE kept AS (
    (SELECT cap_id FROM dispatch_pendingdelivery WHERE state = 'paused' ORDER BY cap_id LIMIT 1)
    UNION ALL
    SELECT (SELECT p.cap_id FROM dispatch_pendingdelivery p
            WHERE p.state = 'paused' AND p.cap_id > kept.cap_id ORDER BY p.cap_id LIMIT 1)
    FROM kept WHERE kept.cap_id IS NOT NULL
)
SELECT kept.cap_id, c.at_most, CASE WHEN c.at_most > 0 THEN c.at_most - (
    SELECT count(*) FROM dispatch_pendingdelivery r
    WHERE r.state = 'running'
      AND c.category IN ('', r.category) AND (c.tenant_id IS NULL OR c.tenant_id = r.tenant_id)
      AND c.handler IN ('', r.handler) AND c.target IN ('', r.target)) END AS room
FROM kept LEFT JOIN dispatch_cap c ON c.id = kept.cap_id
WHERE kept.cap_id IS NOT NULL
