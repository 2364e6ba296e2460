-- name: kpi_facts
-- Times and counts of the scheduled time of one site, summed over all that a key figure tells apart. Per group:
-- machine, epoch, a date of it, state, product and order of the time, product and order of the units, shift,
-- hour, day, crew, length, good, scrap, rework.
select machine_id, width_bucket(effective, %(changes)s::date[]), min(effective), state,
       product, case when %(by_order)s then order_id end,
       made_product, case when %(by_order)s then made_order end, shift,
       case when %(by_hour)s then hour end, case when %(by_day)s then production_day end, crew,
       sum(duration_us)::bigint, sum(good), sum(scrap), sum(rework)
from outputs
where site = %(site)s and machine_id = any(%(machines)s) and calendar = 'scheduled'
  and (%(first_hour)s::timestamptz is null or hour >= %(first_hour)s)
  and (%(end_hour)s::timestamptz is null or hour < %(end_hour)s)
  and (%(first_day)s::date is null or production_day >= %(first_day)s)
  and (%(end_day)s::date is null or production_day < %(end_day)s)
  and (%(product)s::text[] is null or product = any(%(product)s) or made_product = any(%(product)s)
       or (%(none_product)s and (product is null or made_product is null)))
  and (%(order)s::text[] is null or order_id = any(%(order)s) or made_order = any(%(order)s)
       or (%(none_order)s and (order_id is null or made_order is null)))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
group by 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12;

-- name: orders_at
-- Orders that some machines of a site worked on in a window.
select distinct named.name from (
    select order_id, made_order from outputs
    where site = %(site)s and machine_id = any(%(machines)s)
      and (%(first_hour)s::timestamptz is null or hour >= %(first_hour)s)
      and (%(end_hour)s::timestamptz is null or hour < %(end_hour)s)
      and (%(first_day)s::date is null or production_day >= %(first_day)s)
      and (%(end_day)s::date is null or production_day < %(end_day)s)
) as worked, unnest(array[order_id, made_order]) as named (name)
where named.name is not null;

-- name: orders_time
-- When and how long some machines worked on some orders, before an hour. Per order and machine: first hour, last
-- hour, scheduled time in microseconds.
select order_id, machine_id, min(hour), max(hour),
       coalesce(sum(duration_us) filter (where calendar = 'scheduled'), 0)::bigint
from outputs
where site = %(site)s and machine_id = any(%(machines)s) and order_id = any(%(orders)s)
  and (%(end_hour)s::timestamptz is null or hour < %(end_hour)s)
  and (%(end_day)s::date is null or production_day < %(end_day)s)
group by 1, 2;

-- name: orders_done
-- The segment in which the good units of an order reached its quantity at the machine where they count. Per order:
-- begin and end of the segment, its good units, good units through it.
with counted as (
    select * from unnest(%(orders)s::text[], %(counted_at)s::int[], %(planned)s::numeric[])
        as c (order_id, machine_id, planned)
), made as (
    select c.order_id, c.planned, s.starts_at, s.ends_at, s.good,
           sum(s.good) over (partition by c.order_id order by s.starts_at) as through
    from counted c join segments s on s.machine_id = c.machine_id and s.made_order = c.order_id
    where s.good > 0
)
select distinct on (order_id) order_id, starts_at, ends_at, good, through
from made where through >= planned
order by order_id, starts_at;
