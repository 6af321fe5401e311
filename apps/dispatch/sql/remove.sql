-- Deliveries that cannot run anywhere leave the hot table; fenced.
DELETE FROM dispatch_pendingdelivery WHERE id = ANY(%(ids)s) AND lease = %(lease)s
RETURNING id
