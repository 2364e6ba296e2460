-- name: bounds
-- Bounds of the transaction of one answer: no statement runs longer than a minute, and every statement is planned
-- for its own parameters, for a plan for any filters suits none. Many groups are added up in memory.
select set_config('statement_timeout', '60s', true), set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('work_mem', '32MB', true);

-- name: sites
-- Every site with the version of its plant model, null where none was loaded.
select site, (select max(version) from plant_versions v where v.site = s.site) from sites s;

-- name: machines
-- Every machine, in the order of its site and line.
select machine_id, machine, line, site from machines order by site, line nulls last, place nulls last, machine;

-- name: periods
-- Locked and closed periods of every site, in order, as periods.kept tells those of one.
select site, period, status, first_day, end_day, plant_version, coalesce(closed_at, locked_at)
from periods where status <> 'provisional' and first_day is not null
order by site, first_day;

-- name: agents
-- Agents of some sites with the status that each last told; who was not heard of for a minute is not online.
select agent, site, holder_instance,
    coalesce(online and heard_at > %(now)s::timestamptz - interval '1 minute', false),
    heard_at, version, config_hash, certificate_expires_at, conflict, status
from agents where site = any(%(sites)s) order by site, agent;

-- name: samples
-- Raw samples of some series in [from, to) after a place in their order. The place is the time, the series
-- and the number of rows of that time and series already told (equal rows have no other name).
select s.time, s.series_id, s.value, s.text, s.raw, s.raw_text, s.quality, s.origin, s.source_time, s.received_at
from samples s
where s.series_id = any(%(series)s)
  and (%(from)s::timestamptz is null or s.time >= %(from)s)
  and (%(to)s::timestamptz is null or s.time < %(to)s)
  and (%(after_time)s::timestamptz is null or (s.time, s.series_id) >= (%(after_time)s, %(after_series)s::int))
order by s.time, s.series_id, s.received_at, s.value, s.text
offset %(told)s limit %(limit)s;

-- name: series
-- Signals of some machines, with the machine that each belongs to.
select series_id, machine_id, signal, role, item, unit
from series
where machine_id = any(%(machines)s::int[])
  and (%(signals)s::text[] is null or signal = any(%(signals)s))
  and (%(roles)s::text[] is null or role = any(%(roles)s))
order by series_id;

-- name: standing
-- How far the figures of some machines go, and how many of their hours wait. Per machine: through when it was
-- computed, first hour that waits, number of hours that wait.
select m.machine_id, c.through, waiting.first_hour, coalesce(waiting.hours, 0)
from unnest(%(machines)s::int[]) as m (machine_id)
left join computed c using (machine_id)
left join lateral (
    select min(hour) as first_hour, count(distinct hour) as hours from marks d where d.machine_id = m.machine_id
) as waiting on true;

-- name: costs
-- Sums of the entries of one site, grouped by those columns whose flag is set. Per group: the columns, amount,
-- quantity, least and greatest unit, whether a row has no unit. A null filter lets every row through; none_*
-- lets rows without a value through besides.
select case when %(by_machine)s then machine_id end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       case when %(by_shift)s then shift end,
       case when %(by_resource)s then resource end,
       case when %(by_cause)s then cause end,
       case when %(by_reason)s then reason end,
       case when %(by_hour)s then case when %(posting)s then booked_hour else hour end end,
       case when %(by_day)s then case when %(posting)s then booked_day else production_day end end,
       sum(amount), sum(quantity), min(unit), max(unit), bool_or(unit is null)
from ledger_entries
where site = %(site)s
  and (machine_id = any(%(machines)s::int[]) or (%(charges)s and machine_id is null))
  -- use: booked_hours
  -- use: booked_days
  -- use: words
  -- use: cells
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6, 7, 8, 9;

-- name: segments
-- Stored segments of one machine that lie in a window whole, after an instant, in the order of time. Filters
-- let every segment through whose entries may be asked for; stretches of equal segments stay whole.
select starts_at, ends_at, hour, production_day, effective, state, product, order_id, made_product, made_order,
       reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good,
       scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from segments
where machine_id = %(machine)s
  -- use: hours
  -- use: days
  and (%(states)s::text[] is null or state = any(%(states)s))
  and (%(product)s::text[] is null or product = any(%(product)s) or made_product = any(%(product)s)
       or (%(none_product)s and (product is null or made_product is null)))
  and (%(order)s::text[] is null or order_id = any(%(order)s) or made_order = any(%(order)s)
       or (%(none_order)s and (order_id is null or made_order is null)))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
  and (%(reason)s::text[] is null or reason = any(%(reason)s) or (%(none_reason)s and reason is null))
  and (%(after)s::timestamptz is null or starts_at >= %(after)s)
order by starts_at
limit %(limit)s;

-- name: trust_times
-- Scheduled time of some machines that is trusted, unplanned stops in it, and those with a reason; microseconds.
-- Of a closed period as it was frozen, or (basis event) as it is known now.
select coalesce(sum(duration_us) filter (where state <> 'unknown'), 0)::bigint,
       coalesce(sum(duration_us) filter (where state = 'down'), 0)::bigint,
       coalesce(sum(duration_us) filter (where state = 'down' and reason is not null), 0)::bigint
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s::int[]) and calendar = 'scheduled'
  and (not %(posting)s or adjusts is null)
  -- use: hours
  -- use: days
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null));

-- name: trust_spans
-- First sample and last data of some machines.
select first_sample, greatest(last_sample, last_mark, first_sample) from machine_spans
where machine_id = any(%(machines)s::int[]) and first_sample is not null;

-- name: trust_missing
-- What the plant model lacked in the hours of some machines: machine, kind, subject, the dates.
select machine, said ->> 'kind', said ->> 'subject', array_agg(distinct (said ->> 'date')::date)
from hour_facts join machines using (machine_id), jsonb_array_elements(missing) as said
where machine_id = any(%(machines)s::int[])
  -- use: hours
group by 1, 2, 3 order by 1, 2, 3;

-- name: trust_findings
-- What the data of some machines shows that a person should know.
select machine, said ->> 'kind', said ->> 'subject', said ->> 'detail', sum((said ->> 'count')::bigint)::bigint
from hour_facts join machines using (machine_id), jsonb_array_elements(findings) as said
where machine_id = any(%(machines)s::int[])
  -- use: hours
group by 1, 2, 3, 4 order by 5 desc, 1, 2, 3, 4 limit 100;

-- name: trust_silences
-- Of machines of which files and an agent both told: the last row of the files before the agent's first sample, and
-- that sample.
select m.machine, last.time, first.time
from machines m
cross join lateral (
    select min(x.time) as time
    from series s
    join lateral (select y.time from samples y where y.series_id = s.series_id order by y.time limit 1) x on true
    where s.machine_id = m.machine_id and s.source_id is not null
) first
cross join lateral (
    select max(x.time) as time
    from series s
    join lateral (
        select y.time from samples y where y.series_id = s.series_id and y.time < first.time
        order by y.time desc limit 1
    ) x on true
    where s.machine_id = m.machine_id and s.source_id is null
) last
where m.machine_id = any(%(machines)s::int[]) and first.time is not null and last.time is not null
order by m.machine;

-- name: trust_late
-- Rows of some machines that came behind their watermark.
select coalesce(sum(late_rows), 0)::bigint from late_arrivals
where machine_id = any(%(machines)s::int[])
  -- use: hours;

-- name: trust_clocks
-- Largest clock offset of the agents of some sites, seconds.
select max(abs((status ->> 'clock_offset_s')::numeric)) from agents where site = any(%(sites)s);

-- name: trust_counts
-- Good units of some orders by the floor: order, machine, good.
select made_order, machine_id, sum(good)
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s::int[]) and made_order = any(%(orders)s)
group by 1, 2;

-- name: outputs_made
-- Good and scrap units of one site, summed over all that the allowance is the same for. epoch: the number of
-- the span of dates in which no row of the plant model changes; changes: the dates on which one may. Per group:
-- machine, epoch, a date of it, product and order of the units, shift, hour, day, good, scrap.
select machine_id, width_bucket(effective, %(changes)s::date[]), min(effective), made_product,
       case when %(by_order)s then made_order end, shift,
       case when %(by_hour)s then case when %(posting)s then booked_hour else hour end end, case when %(by_day)s then case when %(posting)s then booked_day else production_day end end, sum(good), sum(scrap)
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s::int[])
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange) and (good <> 0 or scrap <> 0)
  -- use: booked_hours
  -- use: booked_days
  and (%(product)s::text[] is null or made_product = any(%(product)s)
       or (%(none_product)s and made_product is null))
  and (%(order)s::text[] is null or made_order = any(%(order)s) or (%(none_order)s and made_order is null))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
group by 1, 2, 4, 5, 6, 7, 8;

-- name: outputs_made_by_day
-- As outputs_made, from the sums by production day: hour is null.
select machine_id, width_bucket(effective, %(changes)s::date[]), min(effective), made_product,
       case when %(by_order)s then made_order end, shift, null::timestamptz,
       case when %(by_day)s then case when %(posting)s then booked_day else production_day end end, sum(good), sum(scrap)
from ledger_made
where site = %(site)s and machine_id = any(%(machines)s::int[])
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange) and (good <> 0 or scrap <> 0)
  -- use: booked_days
  and (%(product)s::text[] is null or made_product = any(%(product)s)
       or (%(none_product)s and made_product is null))
  and (%(order)s::text[] is null or made_order = any(%(order)s) or (%(none_order)s and made_order is null))
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null))
group by 1, 2, 4, 5, 6, 8;

-- name: outputs_timed
-- Facts of one site as they are stored: those of some machines and epochs (`anew`: machine and number of the epoch)
-- that a later standard cuts anew.
select machine_id, case when %(posting)s then booked_hour else hour end,
       case when %(posting)s then booked_day else production_day end, effective, state, product, order_id, made_product,
       made_order, reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good,
       scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s::int[])
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange)
  and (machine_id, width_bucket(effective, %(changes)s::date[])) in
      (select * from unnest(%(anew_machines)s::int[], %(anew_epochs)s::int[]))
  -- use: booked_hours
  -- use: booked_days
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null));

-- name: outputs_changing
-- As outputs_timed, those in which a changeover began, but for the machines and epochs of these.
select machine_id, case when %(posting)s then booked_hour else hour end,
       case when %(posting)s then booked_day else production_day end, effective, state, product, order_id, made_product,
       made_order, reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good,
       scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s::int[])
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange)
  and changeovers <> '[]'
  and (machine_id, width_bucket(effective, %(changes)s::date[])) not in
      (select * from unnest(%(anew_machines)s::int[], %(anew_epochs)s::int[]))
  -- use: booked_hours
  -- use: booked_days
  and (%(shift)s::text[] is null or shift = any(%(shift)s) or (%(none_shift)s and shift is null));

-- name: outputs_epochs
-- Which products some machines of a site ran or made, in which shift and epoch. Per group: machine, epoch, a
-- date of it, product of the time, product of the units, shift.
select machine_id, width_bucket(effective, %(changes)s::date[]), min(effective), product, made_product, shift
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s::int[])
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange)
  -- use: booked_hours
group by 1, 2, 4, 5, 6;

-- name: outputs_epochs_by_day
-- As outputs_epochs, from the sums by production day.
select machine_id, width_bucket(effective, %(changes)s::date[]), min(effective), product, made_product, shift
from ledger_made
where site = %(site)s and machine_id = any(%(machines)s::int[]) and outputs <> 0
  and (%(days)s::datemultirange is null or production_day <@ %(days)s::datemultirange)
  -- use: booked_days
group by 1, 2, 4, 5, 6;

-- name: costs_by_day
-- As costs, from the sums by production day: for groups and filters that these tell apart.
select case when %(by_machine)s then machine_id end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       case when %(by_resource)s then resource end,
       case when %(by_cause)s then cause end,
       case when %(by_day)s then case when %(posting)s then booked_day else production_day end end,
       unit, sum(amount), sum(quantity)
from ledger_days
where site = %(site)s and entries <> 0
  and (machine_id = any(%(machines)s::int[]) or (%(charges)s and machine_id is null))
  -- use: booked_days
  and (%(product)s::text[] is null or product = any(%(product)s) or (%(none_product)s and product is null))
  and (%(order)s::text[] is null or order_id = any(%(order)s) or (%(none_order)s and order_id is null))
  -- use: cells
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6, 7;

-- name: costs_by_part
-- As costs, from the sums by production day with shift and reason.
select case when %(by_machine)s then machine_id end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       case when %(by_shift)s then shift end,
       case when %(by_resource)s then resource end,
       case when %(by_cause)s then cause end,
       case when %(by_reason)s then reason end,
       null::timestamptz,
       case when %(by_day)s then case when %(posting)s then booked_day else production_day end end,
       sum(amount), sum(quantity), min(unit), max(unit), bool_or(unit is null)
from ledger_parts
where site = %(site)s and entries <> 0
  and (machine_id = any(%(machines)s::int[]) or (%(charges)s and machine_id is null))
  -- use: booked_days
  -- use: words
  -- use: cells
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6, 7, 9;

-- name: trust_times_by_day
-- As trust_times, from the sums by production day.
select coalesce(sum(trusted_us), 0)::bigint, coalesce(sum(stop_us), 0)::bigint, coalesce(sum(reasoned_us), 0)::bigint
from trust_days
where site = %(site)s and machine_id = any(%(machines)s::int[])
  -- use: days;
