-- name: machine
-- A machine with its site and span.
select m.machine, m.site, s.first_sample, greatest(s.last_sample, s.last_mark, s.first_sample)
from machines m join machine_spans s using (machine_id)
where machine_id = %(machine_id)s and s.first_sample is not null;

-- name: series
-- Every series of a machine that the interpretation reads. Times in microseconds UTC. since: its first live
-- sample; source and agent are null for series of files.
select s.series_id, s.source_id, o.agent_id, s.role, s.item, s.unit, s.declared,
       (extract(epoch from since.time) * 1000000)::bigint
from series s
left join sources o using (source_id)
left join lateral (
    select x.time from samples x where s.source_id is not null and x.series_id = s.series_id order by x.time limit 1
) since on true
where s.machine_id = %(machine_id)s and s.role = any(%(roles)s::text[])
order by s.series_id;

-- name: last_of_files
-- The last row of some series of files before an instant.
select max(newest.time)
from unnest(%(series)s::int[]) as wanted
join lateral (
    select x.time from samples x where x.series_id = wanted and x.time < %(before)s order by x.time desc limit 1
) newest on true;

-- name: samples
-- Samples of some series in a closed span, in the order of the fields of interpret.model.Sample.
select (extract(epoch from time) * 1000000)::bigint, series_id, value, text, quality, origin = 1, raw, raw_text
from samples
where series_id = any(%(series)s::int[]) and time >= %(from)s and time <= %(to)s;

-- name: count_samples
-- Samples of some series by hour, in a half-open span, in order.
select date_trunc('hour', time, 'UTC'), count(*)
from samples
where series_id = any(%(series)s::int[]) and time >= %(from)s and time < %(to)s
group by 1 order by 1;

-- name: coverage
-- Spans in which sources were scanned well, in microseconds UTC.
select source_id, (extract(epoch from lower(span)) * 1000000)::bigint,
       (extract(epoch from upper(span)) * 1000000)::bigint
from coverage, unnest(spans) as span
where source_id = any(%(sources)s::int[])
  and hour >= %(from)s::timestamptz - interval '2 hours' and hour <= %(to)s
order by 1, 2;

-- name: losses
-- What is missing for agents in a span and not resolved, in microseconds UTC.
select agent_id, kind, (extract(epoch from starts_at) * 1000000)::bigint,
       (extract(epoch from ends_at) * 1000000)::bigint, reason, series
from losses
where agent_id = any(%(agents)s::int[]) and starts_at <= %(to)s and ends_at > %(from)s
  and (kind = 'gap' or resolved_at is null)
order by loss_id;

-- name: lasting_loss
-- Until when a loss of every live signal of a machine is told to last: until its agent was heard last, null
-- (until now) while the agent is online. No row where some signal is not lost.
select case when bool_or(online) then null else max(heard_at) end
from (
    select distinct on (s.role, s.item) last.quality, a.online, a.heard_at
    from series s
    join sources o using (source_id)
    join agents a using (agent_id)
    join lateral (
        select x.time, x.quality from samples x where x.series_id = s.series_id order by x.time desc limit 1
    ) last on true
    where s.machine_id = %(machine_id)s and s.role = any(%(roles)s::text[])
    order by s.role, s.item, last.time desc, last.quality
) newest
having count(*) > 0 and bool_and(quality = 2);

-- name: boundary_before
-- The newest boundary of a machine at or before an hour.
select state from carry where machine_id = %(machine_id)s and hour <= %(hour)s order by hour desc limit 1;

-- name: boundaries
-- The boundaries of a machine in a closed span, in order.
select state from carry
where machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s order by hour;
