-- Where each category and lane stands: the turn and priority of what is claimed next; when nothing
-- is ready, the last turn that was given. Plan: the first entry of pending_ready, or of turn_latest.
SELECT k.category, k.lane, COALESCE(next.turn, latest.last_turn, 0), next.priority
FROM unnest(%(categories)s::text[], %(lanes)s::int[]) AS k(category, lane)
LEFT JOIN LATERAL (
    SELECT p.turn, p.priority FROM dispatch_pendingdelivery p
    WHERE p.state = 'ready' AND p.category = k.category AND p.lane = k.lane
    ORDER BY p.turn LIMIT 1
) next ON true
LEFT JOIN LATERAL (
    SELECT t.last_turn FROM dispatch_tenantturn t
    WHERE t.category = k.category AND t.lane = k.lane
    ORDER BY t.last_turn DESC LIMIT 1
) latest ON true
