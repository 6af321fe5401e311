-- The deliveries of a group that are still ours, locked for the effects that follow, and the schema
-- that the server believes to be in. NO KEY, so that the router can add behind them meanwhile.
SELECT id, current_schema() FROM dispatch_pendingdelivery
WHERE id = ANY(%(ids)s) AND lease = %(lease)s ORDER BY id FOR NO KEY UPDATE
