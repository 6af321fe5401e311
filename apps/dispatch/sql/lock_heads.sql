-- Hold heads in place until the router commits: a settle that wants to delete one waits, and
-- promotes what the router added behind it. In id order, as settles are. Gone heads are not returned.
SELECT id FROM dispatch_pendingdelivery
WHERE id = ANY(%(ids)s) ORDER BY id FOR KEY SHARE
