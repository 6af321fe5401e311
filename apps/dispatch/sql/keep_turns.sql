-- Remember the turns given. Only the router writes here, so nothing waits for these rows.
INSERT INTO dispatch_tenantturn (category, lane, tenant_id, priority, last_turn)
SELECT * FROM unnest(%(categories)s::text[], %(lanes)s::int[], %(tenants)s::int[],
                     %(priorities)s::int[], %(turns)s::float8[])
ON CONFLICT (category, lane, tenant_id, priority) DO UPDATE SET last_turn = EXCLUDED.last_turn
