-- Finished deliveries leave; only under the lease they were claimed with (the fence).
DELETE FROM dispatch_pendingdelivery WHERE id = ANY(%(ids)s) AND lease = %(lease)s
RETURNING id
