-- Heads under our lease, and all that waits between each and the newest of its stream, end as
-- superseded by that newest. Fenced by the heads' lease. lease_newest.sql follows.
-- Plan: primary key for the heads, pending_waiting for what waits behind them; rows to delete are found
-- by arrays of ids and not by joins: docs/decisions/0010.
WITH streams AS (
    SELECT h.id AS head_id, h.tenant_id, h.handler, h.target, h.stream,
           n.id AS newest_id, COALESCE(n.place, n.id) AS newest_place
    FROM unnest(%(heads)s::bigint[], %(newest)s::bigint[]) AS k(head_id, newest_id)
    JOIN dispatch_pendingdelivery h ON h.id = k.head_id AND h.lease = %(lease)s
     AND h.id = ANY(%(heads)s::bigint[])
    JOIN dispatch_pendingdelivery n ON n.id = k.newest_id AND n.state = 'waiting'
     AND n.id = ANY(%(newest)s::bigint[])
), heads AS (
    DELETE FROM dispatch_pendingdelivery p
    WHERE p.id = ANY(ARRAY(SELECT head_id FROM streams)) AND p.lease = %(lease)s
    RETURNING p.*, p.attempts - 1 AS ran
), waiting AS (
    SELECT w.id FROM streams s CROSS JOIN LATERAL (
        SELECT p.id FROM dispatch_pendingdelivery p
        WHERE p.tenant_id = s.tenant_id AND p.handler = s.handler AND p.target = s.target
          AND p.stream = s.stream AND p.state = 'waiting'
          AND COALESCE(p.place, p.id) < s.newest_place
        OFFSET 0) w
), older AS (
    DELETE FROM dispatch_pendingdelivery p
    WHERE p.id = ANY(ARRAY(SELECT id FROM waiting)) AND p.state = 'waiting'
    RETURNING p.*, p.attempts AS ran
), gone AS (
    SELECT g.*, s.newest_id FROM (SELECT * FROM heads UNION ALL SELECT * FROM older) g
    JOIN streams s USING (tenant_id, handler, target, stream)
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
