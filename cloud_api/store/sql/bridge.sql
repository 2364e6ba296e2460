-- name: dearest_days
-- The dearest machine-days of one site for each of some bars (`bar_factors`, and where bars are told apart by them
-- `bar_heads`, `bar_products`, `bar_orders`), among some machines of each factor (`of_factors`, `of_machines`): factor (the
-- cause; price and usage with their resource), machine, day; `most` of each bar. heads: the machine that stands for each
-- in its bar, by number from 1. Sums by production day may stand in for entries.
select distinct factor, machine_id, production_day
from (
    select summed.factor, machine_id, production_day,
           row_number() over (partition by bar order by abs(amount) desc, production_day, machine_id) as place
    from (
        select case when cause in ('price', 'usage') then resource || '/' || cause else cause end as factor,
               machine_id, case when %(by_product)s then product end as product,
               case when %(by_order)s then order_id end as order_id, production_day, sum(amount) as amount
        from entries
        where site = %(site)s and resource <> 'other' and machine_id = any(%(machines)s::int[])
          and (%(first_hour)s::timestamptz is null or hour >= %(first_hour)s)
          and (%(end_hour)s::timestamptz is null or hour < %(end_hour)s)
          and (%(first_day)s::date is null or production_day >= %(first_day)s)
          and (%(end_day)s::date is null or production_day < %(end_day)s)
          and (%(product)s::text[] is null or product = any(%(product)s) or (%(none_product)s and product is null))
          and (%(order)s::text[] is null or order_id = any(%(order)s) or (%(none_order)s and order_id is null))
          and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
          and (%(reason)s::text[] is null or reason = any(%(reason)s) or (%(none_reason)s and reason is null))
          and (%(resource)s::text[] is null or resource = any(%(resource)s))
          and (%(cause)s::text[] is null or cause = any(%(cause)s))
          and cause = any(%(causes)s)
          and (case when cause in ('price', 'usage') then resource || '/' || cause else cause end, machine_id) in
              (select * from unnest(%(of_factors)s::text[], %(of_machines)s::int[]))
          and not resource = any(%(withheld)s)
        group by 1, 2, 3, 4, 5
    ) as summed
    join unnest(%(bar_factors)s::text[], %(bar_heads)s::int[], %(bar_products)s::text[], %(bar_orders)s::text[])
             with ordinality as bars (factor, head, product, order_id, bar)
      on bars.factor = summed.factor
     and (not %(by_machine)s or (%(heads)s::int[])[machine_id] = head)
     and (not %(by_product)s or summed.product is not distinct from bars.product)
     and (not %(by_order)s or summed.order_id is not distinct from bars.order_id)
) as ranked
where place <= %(most)s;

-- name: dearest_hours
-- The dearest hours of some machine-days (`froms`, `tos`: their first hour and the one after), each for its
-- factor: factor, machine, hour; `most` of each.
select d.factor, d.id, best.hour
from unnest(%(factors)s::text[], %(ids)s::int[], %(froms)s::timestamptz[], %(tos)s::timestamptz[])
         as d (factor, id, begins, ends)
cross join lateral (
    select hour
    from entries
    where machine_id = d.id and hour >= d.begins and hour < d.ends
      and d.factor = case when cause in ('price', 'usage') then resource || '/' || cause else cause end
      and resource <> 'other'
      and (%(product)s::text[] is null or product = any(%(product)s) or (%(none_product)s and product is null))
      and (%(order)s::text[] is null or order_id = any(%(order)s) or (%(none_order)s and order_id is null))
      and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
      and (%(reason)s::text[] is null or reason = any(%(reason)s) or (%(none_reason)s and reason is null))
    group by hour
    order by abs(sum(amount)) desc, hour
    limit %(most)s
) as best;

-- name: longest_segments
-- The longest segments of some states in some machine-hours, as they are stored; state null: of any.
select machine_id, starts_at, ends_at, hour, production_day, effective, state, product, order_id, made_product,
       made_order, reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good,
       scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from unnest(%(ids)s::int[], %(hours)s::timestamptz[], %(states)s::text[]) as h (id, at, during)
cross join lateral (
    select * from segments s
    where s.machine_id = h.id and s.hour = h.at and (h.during is null or s.state = h.during)
    order by duration_us desc, starts_at
    limit %(most)s
) as longest;

-- name: joining_segments
-- Segments of some states in some machine-hours that reach from one hour into the next: what a segment at an hour's
-- edge goes on with.
select machine_id, starts_at, ends_at, hour, production_day, effective, state, product, order_id, made_product,
       made_order, reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good,
       scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from unnest(%(ids)s::int[], %(hours)s::timestamptz[], %(states)s::text[]) as h (id, at, during)
join segments s on s.machine_id = h.id and s.hour = h.at and s.state = h.during
 and (s.starts_at = s.hour or s.ends_at = s.hour + interval '1 hour')
where (%(first_hour)s::timestamptz is null or s.hour >= %(first_hour)s)
  and (%(end_hour)s::timestamptz is null or s.hour < %(end_hour)s)
  and (%(first_day)s::date is null or s.production_day >= %(first_day)s)
  and (%(end_day)s::date is null or s.production_day < %(end_day)s);
