-- Where each category and lane stands: the turn and priority of what is claimed next, and, when
-- nothing is ready, the last turn that was given. Plan: the first live entry of pending_ready from
-- `since` on; of turn_latest.
SELECT k.category, k.lane, next.turn, next.priority, latest.last_turn
FROM unnest(%(categories)s::text[], %(lanes)s::int[], %(since)s::float8[])
     AS k(category, lane, since)
LEFT JOIN LATERAL (
    SELECT p.turn, p.priority FROM dispatch_pendingdelivery p
    WHERE p.state = 'ready' AND p.category = k.category AND p.lane = k.lane AND p.turn >= k.since
    ORDER BY p.turn LIMIT 1
) next ON true
LEFT JOIN LATERAL (
    SELECT t.last_turn FROM dispatch_tenantturn t
    WHERE t.category = k.category AND t.lane = k.lane
    ORDER BY t.last_turn DESC LIMIT 1
) latest ON true
