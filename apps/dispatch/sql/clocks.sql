-- Where each category and lane stands: its smallest ready turn; when nothing is ready, the last
-- turn that was given. Plan: the first entry of pending_ready, or of turn_latest.
SELECT k.category, k.lane, COALESCE(
    (SELECT p.turn FROM dispatch_pendingdelivery p
     WHERE p.state = 'ready' AND p.category = k.category AND p.lane = k.lane
     ORDER BY p.turn LIMIT 1),
    (SELECT t.last_turn FROM dispatch_tenantturn t
     WHERE t.category = k.category AND t.lane = k.lane
     ORDER BY t.last_turn DESC LIMIT 1),
    0)
FROM unnest(%(categories)s::text[], %(lanes)s::int[]) AS k(category, lane)
