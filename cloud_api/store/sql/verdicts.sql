-- name: days
-- What machines of a site made, and how long they ran, by production day and product (of the units, else of the
-- time), and by shift where asked. Per group: machine, day, product, shift, good, scrap, rework, hours running,
-- hours present (trusted, and scheduled or at work), person-hours that cost, scheduled
-- hours waiting or idle. A null filter lets every row through.
select machine_id, production_day, coalesce(made_product, product), case when %(by_shift)s then shift end,
       sum(good)::float8, sum(scrap)::float8, sum(rework)::float8,
       sum(run_us)::float8 / 3.6e9, sum(present_us)::float8 / 3.6e9, sum(crew_us)::float8 / 3.6e9,
       sum(slack_us)::float8 / 3.6e9
from ledger_made
where site = %(site)s and machine_id = any(%(machines)s) and outputs <> 0
  -- use: days
  and (%(product)s::text[] is null or coalesce(made_product, product) = any(%(product)s)
       or (%(none_product)s and coalesce(made_product, product) is null))
  and (%(order)s::text[] is null or coalesce(made_order, order_id) = any(%(order)s)
       or (%(none_order)s and coalesce(made_order, order_id) is null))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
group by 1, 2, 3, 4;

-- name: stops
-- Stops of a machine in [from, to): what it stood in one state, in scheduled time, between running and running, whatever
-- breaks and cuts of storage lie between. Per stop: begin, microseconds.
with own as (
    select starts_at, ends_at, state, calendar,
           sum((state = 'running')::int) over (order by starts_at) as run
    from segments
    where machine_id = any(%(machines)s)
      and hour >= %(from)s::timestamptz - interval '1 hour' and hour < %(to)s
      and starts_at >= %(from)s and starts_at < %(to)s
)
select min(starts_at), sum((extract(epoch from ends_at - starts_at) * 1000000)::bigint)::bigint
from own
where state = %(state)s and calendar = 'scheduled'
group by run;
