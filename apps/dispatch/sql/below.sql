-- The turn of the first ready delivery below a bound, which a claim would not see.
-- Plan: pending_ready, ascending; what it walks over is dead.
SELECT turn FROM dispatch_pendingdelivery
WHERE state = 'ready' AND category = %(category)s AND lane = %(lane)s AND turn < %(until)s
ORDER BY turn LIMIT 1
