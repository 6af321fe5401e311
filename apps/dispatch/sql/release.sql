-- Claimed but not started: back to ready, with its attempt. Fenced.
UPDATE dispatch_pendingdelivery
SET state = 'ready', lease = NULL, lease_until = NULL, runs_alone = false, attempts = attempts - 1
WHERE id = ANY(%(ids)s) AND lease = %(lease)s
RETURNING id
