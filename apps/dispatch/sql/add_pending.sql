-- New deliveries, in the order of their stream: ids are given in the order of the rows.
COPY dispatch_pendingdelivery (
    tenant_id, event_uid, handler, target, stream, category, priority, lane, state, turn,
    accepted_at, include_external, replay_id, place, attempts, failures, crashes, is_redriven,
    runs_alone)
FROM STDIN
