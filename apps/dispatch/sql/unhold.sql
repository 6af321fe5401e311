-- Heads that held their stream leave it: a person has decided. promote.sql follows.
DELETE FROM dispatch_pendingdelivery WHERE id = ANY(%(ids)s) AND state = 'held'
RETURNING tenant_id, handler, target, stream
