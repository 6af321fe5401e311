-- The oldest unrouted arrivals, taken off the list. Called under the router's advisory lock.
-- Plan: primary key, ascending, `limit` rows. The order of ids is restored by the caller.
DELETE FROM dispatch_arrival
WHERE id IN (SELECT id FROM dispatch_arrival ORDER BY id LIMIT %(limit)s)
RETURNING id, tenant_id, event_uid, type, stream, accepted_at, lane, handlers, target,
          include_external, replay_id
