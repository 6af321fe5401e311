-- How many different units and subjects the newest open dead letters of some causes are about, and some
-- of their different messages.
-- Plan: deadletter_group, `most` rows a cause.  Lock: none.  Rows: one a cause that has open ones.
SELECT f.fingerprint, count(DISTINCT d.unit), count(DISTINCT d.about),
       (array_agg(DISTINCT d.message))[1:%(examples)s]
FROM unnest(%(fingerprints)s::text[]) AS f(fingerprint)
CROSS JOIN LATERAL (
    SELECT unit, about, message
    FROM (
        SELECT d.units, COALESCE(NULLIF(d.subject, ''), d.stream, d.event_uid::text) AS about,
               left(split_part(d.message, E'\n', 1), 200) AS message
        FROM fallback_deadletter d
        WHERE d.state = 'open' AND d.fingerprint = f.fingerprint
        ORDER BY d.died_at DESC LIMIT %(most)s) newest
    LEFT JOIN LATERAL unnest(newest.units) AS u(unit) ON true) d
GROUP BY f.fingerprint
