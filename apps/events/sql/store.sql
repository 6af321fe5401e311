-- Events into the current tenant's log, and their arrivals before the router in the order of their uids.
-- Those that are there already, by source and id, are left out. Gives the uids of the new ones.
WITH stored AS (
    INSERT INTO events_event (uid, event_id, source, type, subject, category, priority, stream,
        time, time_was_given, data, extensions, body_hash, recorded_at, causation)
    SELECT uid, event_id, source, type, subject, category, priority, stream, time, time_was_given,
        data::jsonb, extensions::jsonb, decode(body_hash, 'hex'), %(now)s, %(causation)s
    FROM unnest(
        %(uid)s::uuid[], %(event_id)s::text[], %(source)s::text[], %(type)s::text[],
        %(subject)s::text[], %(category)s::text[], %(priority)s::int[], %(stream)s::text[],
        %(time)s::timestamptz[], %(time_was_given)s::boolean[], %(data)s::text[],
        %(extensions)s::text[], %(body_hash)s::text[])
        AS e(uid, event_id, source, type, subject, category, priority, stream, time,
        time_was_given, data, extensions, body_hash)
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING uid, type, stream
), arrived AS (
    INSERT INTO dispatch_arrival (tenant_id, event_uid, type, stream, accepted_at, lane, handlers,
        target, include_external, place)
    SELECT %(tenant_id)s, uid, type, stream, %(now)s, %(lane)s, %(handlers)s::text[], %(target)s,
        %(include_external)s, %(place)s
    FROM stored ORDER BY uid
)
SELECT uid FROM stored
