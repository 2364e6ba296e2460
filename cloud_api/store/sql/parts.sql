-- Conditions that statements share, put in by a line "-- use: NAME". A null parameter lets every row through;
-- none_* lets rows without a value through besides.

-- name: hours
-- Rows whose hour lies in [first_hour, end_hour).
  and (%(first_hour)s::timestamptz is null or hour >= %(first_hour)s)
  and (%(end_hour)s::timestamptz is null or hour < %(end_hour)s)

-- name: days
-- Rows whose production day lies in [first_day, end_day).
  and (%(first_day)s::date is null or production_day >= %(first_day)s)
  and (%(end_day)s::date is null or production_day < %(end_day)s)

-- name: booked_hours
-- The same of the hour in which a row is booked (posting), or in which it happened.
  and (%(first_hour)s::timestamptz is null or case when %(posting)s then booked_hour else hour end >= %(first_hour)s)
  and (%(end_hour)s::timestamptz is null or case when %(posting)s then booked_hour else hour end < %(end_hour)s)

-- name: booked_days
-- The same of the production day on which a row is booked (posting), or on which it happened.
  and (%(first_day)s::date is null or case when %(posting)s then booked_day else production_day end >= %(first_day)s)
  and (%(end_day)s::date is null or case when %(posting)s then booked_day else production_day end < %(end_day)s)

-- name: words
-- Rows of these products, orders, shifts and reasons.
  and (%(product)s::text[] is null or product = any(%(product)s) or (%(none_product)s and product is null))
  and (%(order)s::text[] is null or order_id = any(%(order)s) or (%(none_order)s and order_id is null))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
  and (%(reason)s::text[] is null or reason = any(%(reason)s) or (%(none_reason)s and reason is null))

-- name: cells
-- Rows of these resources and causes.
  and (%(resource)s::text[] is null or resource = any(%(resource)s))
  and (%(cause)s::text[] is null or cause = any(%(cause)s))

-- name: windows
-- Rows whose production day, as booked_days, lies in [first_day, end_day) or in the window beside it.
  and (((%(first_day)s::date is null or case when %(posting)s then booked_day else production_day end >= %(first_day)s)
        and (%(end_day)s::date is null or case when %(posting)s then booked_day else production_day end < %(end_day)s))
       or (%(beside)s and case when %(posting)s then booked_day else production_day end >= %(first_beside)s
           and case when %(posting)s then booked_day else production_day end < %(end_beside)s))

-- name: amounts_of_windows
-- The amount of the one window, and that of the other.
       sum(amount) filter (where not %(beside)s or (
           (%(first_day)s::date is null or case when %(posting)s then booked_day else production_day end >= %(first_day)s)
           and (%(end_day)s::date is null or case when %(posting)s then booked_day else production_day end < %(end_day)s))),
       sum(amount) filter (where %(beside)s and case when %(posting)s then booked_day else production_day end >= %(first_beside)s
           and case when %(posting)s then booked_day else production_day end < %(end_beside)s)
