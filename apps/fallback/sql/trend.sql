-- Deaths of some causes by hour, decided ones too; hours without a death are left out.
-- Plan: deadletter_trend, one range a cause and hour, `most` rows each.  Lock: none.
SELECT f.fingerprint, h.hour, n.count
FROM unnest(%(fingerprints)s::text[]) AS f(fingerprint)
CROSS JOIN generate_series(0, %(hours)s - 1) AS h(hour)
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM fallback_deadletter d
        WHERE d.fingerprint = f.fingerprint
          AND d.died_at >= %(start)s + h.hour * interval '1 hour'
          AND d.died_at < %(start)s + (h.hour + 1) * interval '1 hour'
        LIMIT %(most)s) capped) n
WHERE n.count > 0
