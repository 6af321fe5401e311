-- How many different subjects the newest open dead letters of some causes are about.
-- Plan: deadletter_group, `most` rows a cause.  Lock: none.  Rows: one a cause.
SELECT f.fingerprint, count(DISTINCT d.about)
FROM unnest(%(fingerprints)s::text[]) AS f(fingerprint)
CROSS JOIN LATERAL (
    SELECT COALESCE(NULLIF(d.subject, ''), d.stream, d.event_uid::text) AS about
    FROM fallback_deadletter d
    WHERE d.state = 'open' AND d.fingerprint = f.fingerprint
    ORDER BY d.died_at DESC LIMIT %(most)s) d
GROUP BY f.fingerprint
