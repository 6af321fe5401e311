-- Deliveries owed again under their old ids. One that still holds its stream begins to wait, like all
-- that have a stream; promote.sql follows and takes the oldest. They are due now, and not since their
-- event was accepted. Expected: every row, once.
WITH clock AS (
    SELECT * FROM unnest(%(clock_categories)s::text[], %(clock_lanes)s::int[],
                         %(clock_turns)s::float8[]) AS c(category, lane, turn)
)
INSERT INTO dispatch_pendingdelivery AS p (id, tenant_id, event_uid, handler, target, stream,
    category, priority, accepted_at, due_at, state, attempts, lane, turn, failures, crashes,
    include_external, replay_id, is_redriven, runs_alone)
SELECT v.id, v.tenant_id, v.event_uid, v.handler, v.target, v.stream, v.category, v.priority,
       v.accepted_at, now(), CASE WHEN v.stream IS NULL THEN 'ready' ELSE 'waiting' END, v.attempts, 0,
       COALESCE((SELECT c.turn FROM clock c WHERE c.category = v.category AND c.lane = 0), 0),
       0, 0, v.outside, v.replay_id, true, false
FROM unnest(%(ids)s::bigint[], %(tenants)s::int[], %(uids)s::uuid[], %(handlers)s::text[],
            %(targets)s::text[], %(streams)s::text[], %(categories)s::text[],
            %(priorities)s::int[], %(accepted)s::timestamptz[], %(attempts)s::int[],
            %(outside)s::bool[], %(replays)s::bigint[])
     AS v(id, tenant_id, event_uid, handler, target, stream, category, priority, accepted_at, attempts,
          outside, replay_id)
ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, turn = EXCLUDED.turn, due_at = EXCLUDED.due_at,
    failures = 0, crashes = 0, lane = 0, is_redriven = true
WHERE p.state = 'held'
RETURNING p.id
