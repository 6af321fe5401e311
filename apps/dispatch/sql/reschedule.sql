-- Retried and snoozed deliveries get their time; a snooze gives its attempt back. Fenced.
UPDATE dispatch_pendingdelivery p
SET state = 'scheduled', due_at = v.due_at, lease = NULL, lease_until = NULL, runs_alone = false,
    failures = p.failures + v.failed, attempts = p.attempts - v.refund
FROM unnest(%(ids)s::bigint[], %(due)s::timestamptz[], %(failed)s::int[], %(refund)s::int[])
     AS v(id, due_at, failed, refund)
WHERE p.id = v.id AND p.lease = %(lease)s
RETURNING p.id
