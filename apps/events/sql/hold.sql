-- Dead heads that hold their stream until a person decides: told in the tenant's history as dead, and
-- kept in the hot table without a lease, out of every scan. Fenced. Plan: primary key, one probe an id.
WITH ended AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(started)s::timestamptz[],
                         %(finished)s::timestamptz[], %(notes)s::text[])
        AS e(id, started_at, finished_at, note)
), held AS (
    UPDATE dispatch_pendingdelivery p
    SET state = 'held', lease = NULL, lease_until = NULL, runs_alone = false
    FROM ended e
    WHERE p.id = e.id AND p.lease = %(lease)s
    RETURNING p.*, e.started_at, e.finished_at, e.note
)
INSERT INTO events_delivery (id, event_uid, handler, target, category, state, attempts, failures,
    crashes, accepted_at, started_at, finished_at, note, replay_id)
SELECT id, event_uid, handler, target, category, 'dead', attempts, failures, crashes, accepted_at,
    started_at, finished_at, note, replay_id
FROM held
ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, attempts = EXCLUDED.attempts,
    failures = EXCLUDED.failures, crashes = EXCLUDED.crashes, started_at = EXCLUDED.started_at,
    finished_at = EXCLUDED.finished_at, note = EXCLUDED.note
RETURNING id
