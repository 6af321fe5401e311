-- The deliveries of a group that are still ours, locked for the effects that follow.
-- NO KEY, so that the router can add behind them meanwhile.
SELECT id FROM dispatch_pendingdelivery
WHERE id = ANY(%(ids)s) AND lease = %(lease)s ORDER BY id FOR NO KEY UPDATE
