-- name: live
-- Machines with marks at or after an hour, whose site has a plant model: the newest mark of each.
select machine_id, max(mark_id)
from marks join machines using (machine_id)
where hour >= %(from)s and exists (select from plant_versions v where v.site = machines.site)
group by machine_id order by machine_id;

-- name: history
-- Machines with marks before an hour, whose site has a plant model, the longest waiting first.
select machine_id
from marks join machines using (machine_id)
where hour < %(before)s and exists (select from plant_versions v where v.site = machines.site)
group by machine_id order by min(mark_id);

-- name: backlog
-- Marks before an hour that can be served, counted up to a number.
select count(*)
from (
    select 1
    from marks join machines using (machine_id)
    where hour < %(before)s and exists (select from plant_versions v where v.site = machines.site)
    limit %(most)s
) as marked;

-- name: claim
-- Takes a machine for this session, unless another has it.
select pg_try_advisory_lock(hashtext('plantledger interpret'), %(machine_id)s);

-- name: release
-- Lets others take the machine.
select pg_advisory_unlock(hashtext('plantledger interpret'), %(machine_id)s);

-- name: mark_silent
-- Marks the current hour of machines that are silent while their agent is online: a loss of connection that
-- lasts moves their watermark on.
insert into marks (machine_id, hour)
select distinct s.machine_id, date_trunc('hour', %(now)s::timestamptz, 'UTC')
from series s
join sources o using (source_id)
join agents a using (agent_id)
join machine_spans p using (machine_id)
where a.online and greatest(p.last_sample, p.last_mark) < %(now)s::timestamptz - interval '30 seconds';

-- name: subjects
-- Machines with data, of a site (null: of all), of a name (null: of all).
select machine_id, site, machine
from machines join machine_spans using (machine_id)
where site = coalesce(%(site)s, site) and machine = coalesce(%(machine)s, machine) and first_sample is not null
order by site, machine;
