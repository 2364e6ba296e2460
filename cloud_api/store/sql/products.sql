-- name: kpi_facts
-- Times and counts of the scheduled time of one site, summed over all that a key figure tells apart. Per group:
-- machine, epoch, a date of it, state, product and order of the time, product and order of the units, shift,
-- hour, day, crew, length, good, scrap, rework.
select machine_id, width_bucket(effective, %(changes)s::date[]), min(effective), state,
       product, case when %(by_order)s then order_id end,
       made_product, case when %(by_order)s then made_order end, shift,
       case when %(by_hour)s then case when %(posting)s then booked_hour else hour end end,
       case when %(by_day)s then case when %(posting)s then booked_day else production_day end end, crew,
       sum(duration_us)::bigint, sum(good), sum(scrap), sum(rework)
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s) and calendar = 'scheduled'
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange)
  -- use: booked_hours
  -- use: booked_days
  and (%(product)s::text[] is null or product = any(%(product)s) or made_product = any(%(product)s)
       or (%(none_product)s and (product is null or made_product is null)))
  and (%(order)s::text[] is null or order_id = any(%(order)s) or made_order = any(%(order)s)
       or (%(none_order)s and (order_id is null or made_order is null)))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
group by 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12;

-- name: orders_at
-- Orders that some machines of a site worked on in a window.
select distinct named.name from (
    select order_id, made_order from ledger_outputs
    where site = %(site)s and machine_id = any(%(machines)s)
      and (%(first_hour)s::timestamptz is null or case when %(posting)s then booked_hour else hour end >= %(first_hour)s)
      and (%(end_hour)s::timestamptz is null or case when %(posting)s then booked_hour else hour end < %(end_hour)s)
      and (%(first_day)s::date is null or case when %(posting)s then booked_day else production_day end >= %(first_day)s)
      and (%(end_day)s::date is null or case when %(posting)s then booked_day else production_day end < %(end_day)s)
) as worked, unnest(array[order_id, made_order]) as named (name)
where named.name is not null;

-- name: orders_time
-- How long some machines worked on some orders, before an hour. Per order and machine: scheduled time in
-- microseconds.
select order_id, machine_id,
       coalesce(sum(duration_us) filter (where calendar = 'scheduled'), 0)::bigint
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s) and order_id = any(%(orders)s)
  and (%(end_hour)s::timestamptz is null or case when %(posting)s then booked_hour else hour end < %(end_hour)s)
  and (%(end_day)s::date is null or case when %(posting)s then booked_day else production_day end < %(end_day)s)
group by 1, 2;

-- name: orders_left
-- Orders that their machine left for another one. Per order: when it was last worked on.
with counted as (
    select * from unnest(%(orders)s::text[], %(counted_at)s::int[]) as c (order_id, machine_id)
), worked as (
    select c.order_id, c.machine_id, max(s.ends_at) as ends_at
    from counted c join segments s on s.machine_id = c.machine_id and s.order_id = c.order_id
    where s.starts_at < %(as_of)s
    group by 1, 2
)
select w.order_id, w.ends_at from worked w
where exists (select 1 from segments s
              where s.machine_id = w.machine_id and s.starts_at >= w.ends_at and s.starts_at < %(as_of)s
                and s.order_id is not null);

-- name: orders_done
-- The segment in which the good units of an order reached its quantity at the machine where they count. Per order:
-- begin and end of the segment, its good units, good units through it. Looked for on the days of the order alone.
with counted as (
    select * from unnest(%(orders)s::text[], %(counted_at)s::int[], %(planned)s::numeric[])
        as c (order_id, machine_id, planned)
), days as materialized (
    select made_order, machine_id, min(production_day) as first_day, max(production_day) as last_day
    from ledger_made
    where machine_id = any(%(counted_at)s) and made_order = any(%(orders)s) and outputs <> 0
    group by made_order, machine_id
), made as (
    select c.order_id, c.planned, s.starts_at, s.ends_at, s.good,
           sum(s.good) over (partition by c.order_id order by s.starts_at) as through
    from counted c
    join days d on d.made_order = c.order_id and d.machine_id = c.machine_id
    join segments s on s.machine_id = c.machine_id and s.made_order = c.order_id
        and s.hour >= d.first_day - 1 and s.hour < d.last_day + 2
    where s.good <> 0
)
select distinct on (order_id) order_id, starts_at, ends_at, good, through
from made where through >= planned and good > 0
order by order_id, starts_at;

-- name: order_pace
-- How fast the orders of a site were made in a window. Per order, machine and product: running time in microseconds,
-- units that passed, good units.
select made_order, machine_id, made_product, coalesce(sum(duration_us) filter (where state = 'running'), 0)::bigint,
       sum(good + scrap + rework), sum(good)
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s) and made_order is not null and made_product is not null
  -- use: booked_hours
  -- use: booked_days
group by 1, 2, 3;

-- name: run_times
-- Running time, and changeovers that began, of a site in a window. Per machine and product: microseconds, number.
select machine_id, product, coalesce(sum(duration_us) filter (where state = 'running'), 0)::bigint,
       coalesce(sum((select sum((turn ->> 'count')::int) from jsonb_array_elements(changeovers) as turn)), 0)::int
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s) and product is not null
  -- use: booked_hours
  -- use: booked_days
group by 1, 2;

-- name: short_stops
-- Unplanned stops below a length that began in [from, to), whatever cuts storage makes. Per machine, product, shift
-- and date: number.
with down as (
    select machine_id, starts_at, ends_at, product, shift, effective,
           lag(ends_at) over (partition by machine_id order by starts_at) is distinct from starts_at as begins
    from segments
    where machine_id = any(%(machines)s) and state = 'down'
      and (%(from)s::timestamptz is null or hour >= %(from)s - interval '1 hour')
      and (%(to)s::timestamptz is null or hour < %(to)s)
), stops as (
    select machine_id, sum(begins::int) over (partition by machine_id order by starts_at) as stop,
           starts_at, ends_at, product, shift, effective
    from down
), told as (
    select machine_id, min(starts_at) as starts_at, max(ends_at) as ends_at, (array_agg(product order by starts_at))[1] as product,
           (array_agg(shift order by starts_at))[1] as shift, min(effective) as effective
    from stops group by machine_id, stop
)
select machine_id, product, shift, effective, count(*)::int
from told
where product is not null and ends_at - starts_at < make_interval(mins => %(minutes)s)
  and (%(from)s::timestamptz is null or starts_at >= %(from)s)
  and (%(to)s::timestamptz is null or starts_at < %(to)s)
group by 1, 2, 3, 4;

-- name: watched_series
-- Signals of some machines that tell of people stepping in: series, role.
select series_id, role from series where machine_id = any(%(machines)s) and role in ('alarm', 'speed_override');

-- name: raised
-- Alarms that came up and overrides that left full speed (100) in [from, to), with the segment that they fell into. Per role,
-- machine, product, shift and date: number.
with told as (
    select s.series_id, s.time, r.role, r.machine_id,
           case when r.role = 'alarm' then coalesce(s.value <> 0, lower(coalesce(s.text, '')) not in ('', '0', 'false', 'off', 'ok'))
                else coalesce(s.value <> 100, false) end as up
    from samples s join series r using (series_id)
    where s.series_id = any(%(series)s) and s.quality < 2
      and (%(from)s::timestamptz is null or s.time >= %(from)s)
      and (%(to)s::timestamptz is null or s.time < %(to)s)
), turned as (
    select *, lag(up) over (partition by series_id order by time) as before from told
)
select t.role, t.machine_id, g.product, g.shift, g.effective, count(*)::int
from turned t
join lateral (
    select product, shift, effective from segments g
    where g.machine_id = t.machine_id and g.starts_at <= t.time and g.hour >= t.time - interval '1 hour'
    order by g.starts_at desc limit 1
) g on true
where t.up and not coalesce(t.before, false) and g.product is not null
group by 1, 2, 3, 4, 5;

-- name: decisions_noted
-- Notes of machines that begin in [from, to), by the segment that they begin in. Per machine, product, shift and
-- date: number. Notes that were withdrawn say nothing.
select g.machine_id, g.product, g.shift, g.effective, count(*)::int
from notes n
join machines m on m.site = n.site and m.machine = n.machine
join lateral (
    select machine_id, product, shift, effective from segments g
    where g.machine_id = m.machine_id and g.starts_at <= n.starts_at
      and g.hour >= n.starts_at - interval '1 hour' and g.ends_at > n.starts_at
    order by g.starts_at desc limit 1
) g on true
where n.site = %(site)s and m.machine_id = any(%(machines)s) and n.withdrawn_at is null and n.like_of is null
  and g.product is not null
  and (%(from)s::timestamptz is null or n.starts_at >= %(from)s)
  and (%(to)s::timestamptz is null or n.starts_at < %(to)s)
group by 1, 2, 3, 4;

-- name: active_bounds
-- Where active spans of some machines in [from, to) begin, end or change their kind, whatever cuts storage makes. Kind: 0
-- outside scheduled time, 1 in overtime, 2 in regular time. Per machine, in order: begin and kind of what follows (null
-- behind its last), end and kind of what went before (null before its first).
with own as (
    select machine_id, starts_at, ends_at,
           case when calendar <> 'scheduled' then 0 when overtime then 1 else 2 end as kind
    from segments
    where machine_id = any(%(machines)s) and state = any(%(active)s)
      and hour >= %(from)s::timestamptz - interval '1 hour' and hour < %(to)s
      and ends_at > %(from)s and starts_at < %(to)s
), beside as (
    select machine_id, starts_at, kind, lag(ends_at) over w as ended_at, lag(kind) over w as kind_before
    from own
    window w as (partition by machine_id order by starts_at)
)
select machine_id, starts_at, kind, ended_at, kind_before
from beside
where ended_at is distinct from starts_at or kind <> kind_before
union all
select m.machine_id, null, null, last.ends_at, last.kind
from unnest(%(machines)s) as m (machine_id)
cross join lateral (
    select ends_at, case when calendar <> 'scheduled' then 0 when overtime then 1 else 2 end as kind
    from segments s
    where s.machine_id = m.machine_id and state = any(%(active)s)
      and hour >= %(from)s::timestamptz - interval '1 hour' and hour < %(to)s
      and ends_at > %(from)s and starts_at < %(to)s
    order by starts_at desc
    limit 1
) as last
order by 1, 2 nulls last;

-- name: capacity_times
-- Time of some machines in [from, to) by state, calendar status and overtime: microseconds.
select machine_id, state, calendar, overtime,
       sum((extract(epoch from least(ends_at, %(to)s) - greatest(starts_at, %(from)s)) * 1000000)::bigint)::bigint
from segments
where machine_id = any(%(machines)s)
  and hour >= %(from)s::timestamptz - interval '1 hour' and hour < %(to)s
  and ends_at > %(from)s and starts_at < %(to)s
group by 1, 2, 3, 4;

-- name: override_time
-- Time of some machines in [from, to) with a speed override above full speed (100): microseconds.
with told as (
    select s.series_id, r.machine_id, s.time, s.value,
           lead(s.time, 1, %(to)s) over (partition by s.series_id order by s.time) as until
    from samples s join series r using (series_id)
    where r.machine_id = any(%(machines)s) and r.role = 'speed_override' and s.quality < 2
      and s.time >= %(from)s and s.time < %(to)s
)
select machine_id, sum((extract(epoch from until - time) * 1000000)::bigint)::bigint
from told where value > 100 group by 1;

-- name: props_noted
-- Notes in force in [from, to) that tell what holds a machine or its line up. Per machine: kind, number.
select m.machine_id, n.kind, count(*)::int
from notes n join machines m on m.site = n.site and (m.machine = n.machine or (n.machine is null and m.line = n.line))
where m.machine_id = any(%(machines)s) and n.withdrawn_at is null and n.like_of is null
  and n.kind in ('overtime', 'workaround', 'expedited', 'reassigned_labour', 'temporary_control', 'held_wip')
  and n.starts_at < %(to)s and coalesce(n.ends_at, n.starts_at + interval '1 day') > %(from)s
group by 1, 2 order by 1, 2;

-- name: stays
-- Spans in which some machines did not run, that touch [from, to). Per span, in order: machine, begin, end, state,
-- reason.
select machine_id, starts_at, ends_at, state, reason
from segments
where machine_id = any(%(machines)s) and state <> 'running'
  and hour >= %(from)s::timestamptz - interval '1 hour' and hour < %(to)s
  and ends_at > %(from)s and starts_at < %(to)s
order by machine_id, starts_at;

-- name: orders_reached
-- When a sample of a counter first told that an order had reached its quantity, in the segment that orders_done
-- tells (begins, ends, its good units, units still missing at its begin): order, instant. None where the counter
-- fell, or other counters have a say in the good units of the segment.
with done as (
    select * from unnest(%(orders)s::text[], %(counted_at)s::int[], %(begins)s::timestamptz[], %(ends)s::timestamptz[],
                         %(good)s::numeric[], %(missing)s::numeric[])
        as d (order_id, machine_id, begins, ends, good, missing)
), counter as (
    select d.*, named.ids
    from done d
    cross join lateral (
        select array_agg(s.series_id) as ids from series s
        where s.machine_id = d.machine_id and s.role in ('good_count', 'total_count') group by s.role order by s.role
        limit 1
    ) named
), based as (
    select c.*, base.value as base
    from counter c
    cross join lateral (
        select x.time, x.value from unnest(c.ids) as one
        cross join lateral (
            select y.time, y.value from samples y
            where y.series_id = one and y.time < c.begins and y.quality < 2 and y.value is not null
            order by y.time desc limit 1
        ) x
        order by x.time desc limit 1
    ) base
), seen as (
    select b.order_id, b.good, b.missing, x.time, (x.value - b.base)::numeric as through,
           x.value - lag(x.value, 1, b.base) over (partition by b.order_id order by x.time, x.value) as step
    from based b
    cross join lateral unnest(b.ids) as one
    -- Offset 0 keeps this a look into the index for each order, whatever the server guesses of the lists.
    cross join lateral (
        select y.time, y.value from samples y
        where y.series_id = one and y.time >= b.begins and y.time < b.ends and y.quality < 2 and y.value is not null
        offset 0
    ) x
), sound as (
    select *, max(through) over (partition by order_id) = good and bool_and(step >= 0) over (partition by order_id) as is_sound
    from seen
)
select distinct on (order_id) order_id, time from sound where is_sound and through >= missing order by order_id, time;
