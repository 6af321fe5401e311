-- The oldest unrouted arrivals, taken off the list. Called under the router's advisory lock.
-- Plan: primary key, ascending from `since`, `limit` rows. The caller restores the order of ids.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
DELETE FROM dispatch_arrival
WHERE id = ANY(ARRAY(
    SELECT id FROM dispatch_arrival WHERE id >= %(since)s ORDER BY id LIMIT %(limit)s))
RETURNING id, tenant_id, event_uid, type, stream, accepted_at, lane, handlers, target,
          include_external, replay_id, place
