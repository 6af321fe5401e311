-- Heads under our lease, and all that waits between each and the newest of its stream, end as
-- superseded by that newest. Fenced by the heads' lease. lease_newest.sql follows.
-- Plan: primary key for the heads, pending_waiting for what waits behind them.
WITH streams AS (
    SELECT h.id AS head_id, h.tenant_id, h.handler, h.target, h.stream,
           n.id AS newest_id, COALESCE(n.place, n.id) AS newest_place
    FROM unnest(%(heads)s::bigint[], %(newest)s::bigint[]) AS k(head_id, newest_id)
    JOIN dispatch_pendingdelivery h ON h.id = k.head_id AND h.lease = %(lease)s
    JOIN dispatch_pendingdelivery n ON n.id = k.newest_id AND n.state = 'waiting'
), heads AS (
    DELETE FROM dispatch_pendingdelivery p USING streams s
    WHERE p.id = s.head_id AND p.lease = %(lease)s
    RETURNING p.*, p.attempts - 1 AS ran, s.newest_id
), older AS (
    DELETE FROM dispatch_pendingdelivery p USING streams s
    WHERE p.tenant_id = s.tenant_id AND p.handler = s.handler AND p.target = s.target
      AND p.stream = s.stream AND p.state = 'waiting' AND COALESCE(p.place, p.id) < s.newest_place
    RETURNING p.*, p.attempts AS ran, s.newest_id
), gone AS (
    SELECT * FROM heads UNION ALL SELECT * FROM older
), kept AS (
    INSERT INTO events_delivery (id, event_uid, handler, target, category, state, attempts,
        failures, crashes, accepted_at, started_at, finished_at, note, replay_id)
    SELECT id, event_uid, handler, target, category, 'superseded', ran, failures, crashes,
        accepted_at, now(), now(), 'superseded by delivery ' || newest_id, replay_id
    FROM gone
    ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, attempts = EXCLUDED.attempts,
        failures = EXCLUDED.failures, crashes = EXCLUDED.crashes,
        started_at = EXCLUDED.started_at, finished_at = EXCLUDED.finished_at, note = EXCLUDED.note
)
SELECT id, newest_id, is_redriven FROM gone
