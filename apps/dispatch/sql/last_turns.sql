-- The last turns of the tenants in a batch. Plan: one_turn_per_tenant, one probe a key.
SELECT t.category, t.lane, t.tenant_id, t.priority, t.last_turn
FROM unnest(%(categories)s::text[], %(lanes)s::int[], %(tenants)s::int[], %(priorities)s::int[])
     AS k(category, lane, tenant_id, priority)
JOIN dispatch_tenantturn t USING (category, lane, tenant_id, priority)
