-- Scheduled deliveries whose time has come. Plan: pending_scheduled up to now.
WITH due AS (
    SELECT id FROM dispatch_pendingdelivery
    WHERE state = 'scheduled' AND due_at <= now()
    ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE dispatch_pendingdelivery p
SET state = 'ready', due_at = NULL, turn = GREATEST(p.turn, (
    SELECT r.turn FROM dispatch_pendingdelivery r
    WHERE r.state = 'ready' AND r.category = p.category AND r.lane = p.lane
    ORDER BY r.turn LIMIT 1))
FROM due WHERE p.id = due.id
RETURNING p.category
