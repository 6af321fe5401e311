-- Make a booking or lock the one that is there, in one statement: two that make it at once meet at
-- the unique index one_booking_per_ref, and the second waits, then gets what the first wrote.
-- Lock: the booking's row, until commit. Rows: exactly 1. Plan: insert, or one index probe.
-- is_new tells a row that this statement made (no older version of it: xmax is 0); is_known tells
-- that the event's revision is kept already.
INSERT INTO bookings_booking (source, booking_ref, status, channel, guest_ref, currency,
    applied_is_creation, applied_number, applied_at, applied_ref)
VALUES (%(source)s, %(booking_ref)s, %(status)s, '', '', '',
    %(is_creation)s, %(number)s, %(at)s, %(ref)s)
ON CONFLICT (source, booking_ref) DO UPDATE SET source = EXCLUDED.source
RETURNING *, xmax = 0 AS is_new,
    EXISTS (SELECT FROM bookings_bookingrevision r WHERE r.event_uid = %(event_uid)s) AS is_known
