-- Leases that ran out: the worker is dead or stuck. The first crash is counted always; after it the
-- delivery runs alone, and only a crash while alone counts (another's poison is not its fault).
-- What crashed too often stays leased, to us, so that it can be buried in its tenant's schema; if we
-- die before that, it comes here again, and no attempt is given back for a claim that there was not.
-- Plan: pending_running from `since` up to now.
-- Rows by an array of ids, not by a join: docs/decisions/0010.
WITH late AS (
    SELECT id, crashes >= %(max_crashes)s AS was_ours,
           crashes + CASE WHEN crashes = 0 OR runs_alone THEN 1 ELSE 0 END AS crashes
    FROM dispatch_pendingdelivery
    WHERE state = 'running' AND lease_until <= now() AND lease_until >= %(since)s
    ORDER BY lease_until LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), clock AS (
    SELECT * FROM unnest(%(clock_categories)s::text[], %(clock_lanes)s::int[],
                         %(clock_turns)s::float8[]) AS c(category, lane, turn)
)
UPDATE dispatch_pendingdelivery p
SET crashes = late.crashes,
    attempts = p.attempts - CASE WHEN late.crashes = p.crashes AND NOT late.was_ours
                                     THEN 1 ELSE 0 END,
    state = CASE WHEN late.crashes >= %(max_crashes)s THEN 'running' ELSE 'ready' END,
    lease = CASE WHEN late.crashes >= %(max_crashes)s THEN %(lease)s::uuid END,
    lease_until = CASE WHEN late.crashes >= %(max_crashes)s THEN now() + %(lease_for)s END,
    runs_alone = false,
    turn = GREATEST(p.turn, (
        SELECT c.turn FROM clock c WHERE c.category = p.category AND c.lane = p.lane))
FROM late WHERE p.id = late.id AND p.id = ANY(ARRAY(SELECT id FROM late))
RETURNING p.id, p.tenant_id, p.event_uid, p.handler, p.target, p.stream, p.category, p.priority,
          p.lane, p.attempts, p.failures, p.crashes, p.accepted_at, p.include_external,
          p.replay_id, p.is_redriven, p.lease_until, p.turn, p.state
