-- Finished deliveries move from the hot table to the tenant's history, in one statement, only under
-- the lease they were claimed with (the fence). What did not change since the claim never travels.
-- A redriven delivery overwrites the row of its death. Plan: primary key, one probe an id.
WITH ended AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(started)s::timestamptz[],
                         %(finished)s::timestamptz[], %(notes)s::text[])
        AS e(id, state, started_at, finished_at, note)
), gone AS (
    DELETE FROM dispatch_pendingdelivery p USING ended e
    WHERE p.id = e.id AND p.lease = %(lease)s
    RETURNING p.*, e.state AS ended_as, e.started_at, e.finished_at, e.note
)
INSERT INTO events_delivery (id, event_uid, handler, target, category, state, attempts, failures,
    crashes, accepted_at, started_at, finished_at, note, replay_id)
SELECT id, event_uid, handler, target, category, ended_as, attempts, failures, crashes,
    accepted_at, started_at, finished_at, note, replay_id
FROM gone
ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, attempts = EXCLUDED.attempts,
    failures = EXCLUDED.failures, crashes = EXCLUDED.crashes, started_at = EXCLUDED.started_at,
    finished_at = EXCLUDED.finished_at, note = EXCLUDED.note
RETURNING id
