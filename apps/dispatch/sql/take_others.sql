-- Arrivals of other tenants from behind a flood, taken off the list: of the next `window` ids, those of none of
-- `tenants`. What a tenant has is taken in the order of its ids, as by take_arrivals.sql, and never past one of its
-- own, because below `since` stand arrivals of `tenants` alone.
-- Plan: primary key, ascending from `since`; visits what of the flood stands before them, or all of the window.
-- The caller restores the order of ids. Rows by an array of ids, not by a join: docs/decisions/0010.
DELETE FROM dispatch_arrival
WHERE id = ANY(ARRAY(
    SELECT id FROM dispatch_arrival
    WHERE id >= %(since)s AND id < %(since)s + %(window)s AND tenant_id <> ALL(%(tenants)s::int[])
    ORDER BY id LIMIT %(limit)s))
RETURNING id, tenant_id, event_uid, type, stream, accepted_at, lane, handlers, target,
          include_external, replay_id, place
