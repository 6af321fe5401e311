-- Whether somebody who began to write arrivals so many seconds ago has not committed yet: an arrival may then still
-- appear below those that were seen. Of whom we may not know when they began we assume it.
SELECT EXISTS (
    SELECT FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
    WHERE relation = 'dispatch_arrival'::regclass AND mode = 'RowExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pid <> pg_backend_pid()
      AND COALESCE(xact_start < clock_timestamp() - make_interval(secs => %(seconds)s), true))
