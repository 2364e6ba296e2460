-- name: series
-- As evidence.series, of what was received up to an instant (known). since: the first sample then.
select s.series_id, s.source_id, o.agent_id, s.role, s.item, s.unit, s.declared,
       case when s.source_id is not null then (extract(epoch from since.time) * 1000000)::bigint end
from series s
left join sources o using (source_id)
join lateral (
    select x.time from samples x where x.series_id = s.series_id and x.received_at <= %(known)s order by x.time limit 1
) since on true
where s.machine_id = %(machine_id)s and s.role = any(%(roles)s::text[])
order by s.series_id;

-- name: first_sample
-- The first sample of a machine that was received up to an instant.
select min(first.time)
from series s
join lateral (
    select x.time from samples x where x.series_id = s.series_id and x.received_at <= %(known)s order by x.time limit 1
) first on true
where s.machine_id = %(machine_id)s;

-- name: last_of_files
-- As evidence.last_of_files.
select max(newest.time)
from unnest(%(series)s::int[]) as wanted
join lateral (
    select x.time from samples x
    where x.series_id = wanted and x.time < %(before)s and x.received_at <= %(known)s order by x.time desc limit 1
) newest on true;

-- name: samples
-- As evidence.samples.
select (extract(epoch from time) * 1000000)::bigint, series_id, value, text, quality, origin = 1, raw, raw_text
from samples
where series_id = any(%(series)s::int[]) and time >= %(from)s and time <= %(to)s and received_at <= %(known)s;

-- name: coverage
-- As evidence.coverage: of each hour what it was before the first change after the instant.
select source_id, (extract(epoch from lower(span)) * 1000000)::bigint,
       (extract(epoch from upper(span)) * 1000000)::bigint
from (
    select c.source_id, coalesce(b.spans, c.spans) as spans
    from coverage c
    left join lateral (
        select b.spans from coverage_before b
        where b.source_id = c.source_id and b.hour = c.hour and b.until > %(known)s order by b.until limit 1
    ) b on true
    where c.source_id = any(%(sources)s::int[])
      and c.hour >= %(from)s::timestamptz - interval '2 hours' and c.hour <= %(to)s
) as was, unnest(spans) as span
order by 1, 2;

-- name: losses
-- As evidence.losses.
select agent_id, kind, (extract(epoch from starts_at) * 1000000)::bigint,
       (extract(epoch from ends_at) * 1000000)::bigint, reason, series
from losses
where agent_id = any(%(agents)s::int[]) and starts_at <= %(to)s and ends_at > %(from)s
  and received_at <= %(known)s and (kind = 'gap' or resolved_at is null or resolved_at > %(known)s)
order by loss_id;

-- name: closes
-- What the closes of a site recorded of their own instant: period, first day, end day, version of the plant model
-- that it keeps, what the close recorded, instant of the close.
select period, first_day, end_day, plant_version, frozen, closed_at from periods
where site = %(site)s and status = 'closed' and first_day is not null order by closed_at, first_day;

-- name: latest_version
-- The version of the plant model of a site that was the latest at an instant.
select max(version) from plant_versions where site = %(site)s and recorded_at <= %(known)s;

-- name: computed
-- How far each machine of a site is interpreted.
select machine, through from computed join machines using (machine_id) where site = %(site)s;

-- name: now
-- The server's clock, which dates what is received.
select clock_timestamp();

-- name: entries
-- Frozen entries of some production days of a machine, as periods.entries_of_closed; machine null: charges.
select site, machine_id, hour, production_day, product, order_id, shift, reason, cost_centre, resource, cause, item,
       amount, quantity, unit, rate, standard_version, calendar_version, assumed
from entries
where site = %(site)s and production_day >= %(first_day)s and production_day < %(end_day)s
  and case when %(machine_id)s::int is null then resource = 'other'
           else machine_id = %(machine_id)s and resource <> 'other' end;

-- name: outputs
-- Frozen outputs of some production days of a machine, as periods.outputs_of_closed.
select site, machine_id, hour, standard_version, calendar_version, production_day, effective, state, product,
       order_id, made_product, made_order, reason, shift, calendar, overtime, paid, crew, duration_us,
       crew_assumed_us, uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from outputs
where site = %(site)s and machine_id = %(machine_id)s
  and production_day >= %(first_day)s and production_day < %(end_day)s;
