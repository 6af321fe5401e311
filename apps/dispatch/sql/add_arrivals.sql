-- Accepted events that the router has not seen.
COPY dispatch_arrival (
    tenant_id, event_uid, type, stream, accepted_at, lane, handlers, target, include_external,
    replay_id, place)
FROM STDIN
