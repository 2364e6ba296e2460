-- name: lock_site
-- Creates the site if it is new and lets one writer of its plant model in at a time.
with made as (insert into sites (site) values (%(site)s) on conflict do nothing)
select pg_advisory_xact_lock(hashtext('plantledger plant ' || %(site)s));

-- name: open_rows
-- Every row of a site that counts, in the order of its recording.
select row_id, kind, key, effective, version, recorded_at, body
from plant_rows
where site = %(site)s and ended_by is null
order by row_id;

-- name: rows_before
-- Every row of a site that counted just before an instant, in the order of its recording.
select r.row_id, r.kind, r.key, r.effective, r.version, r.recorded_at, r.body
from plant_rows r
join plant_versions made on made.version = r.version
left join plant_versions ended on ended.version = r.ended_by
where r.site = %(site)s
  and made.recorded_at < %(before)s
  and (ended.version is null or ended.recorded_at >= %(before)s)
order by r.row_id;

-- name: rows_of_version
-- Every row of a site that counted at a version, in the order of its recording.
select row_id, kind, key, effective, version, recorded_at, body
from plant_rows
where site = %(site)s and version <= %(version)s and (ended_by is null or ended_by > %(version)s)
order by row_id;

-- name: latest_version
-- The number of the last load of a site; null before the first.
select max(version) from plant_versions where site = %(site)s;

-- name: add_version
-- Records a load; gives its number and instant.
insert into plant_versions (site, recorded_at, correction, digest, author)
values (%(site)s, coalesce(%(recorded_at)s::timestamptz, now()), %(correction)s, %(digest)s, %(author)s)
returning version, recorded_at;

-- name: end_rows
-- Rows that no longer count, from this version on.
update plant_rows set ended_by = %(version)s where row_id = any(%(rows)s::bigint[]);

-- name: copy_rows
-- New rows of a version.
copy plant_rows (site, kind, key, effective, version, recorded_at, body) from stdin;

-- name: set_machines
-- Machines of the plant model with their line, place in it and cost centre.
insert into machines (site, machine, line, place, cost_centre)
select %(site)s, machine, line, place, cost_centre
from unnest(%(machines)s::text[], %(lines)s::text[], %(places)s::int[], %(cost_centres)s::text[])
     as given (machine, line, place, cost_centre)
on conflict (site, machine) do update
set line = excluded.line, place = excluded.place, cost_centre = excluded.cost_centre
where (machines.line, machines.place, machines.cost_centre)
      is distinct from (excluded.line, excluded.place, excluded.cost_centre);

-- name: spans
-- First sample and watermark of each machine of a site that has data.
select machine_id, machine, first_sample, greatest(last_sample, last_mark, first_sample) as watermark
from machines join machine_spans using (machine_id)
where site = %(site)s and first_sample is not null
order by machine_id;

-- name: machine_ids
-- Machines of a site by name.
select machine, machine_id from machines where site = %(site)s;

-- name: counting_roles
-- Machines of a site whose data names both good_count and total_count.
select machine
from machines join series using (machine_id)
where site = %(site)s and role in ('good_count', 'total_count')
group by machine having count(distinct role) = 2
order by machine;

-- name: versions
-- Loads and changes of some sites, newest first, with how many rows each recorded and ended.
select v.site, v.version, v.recorded_at, v.correction, v.author,
       (select count(*) from plant_rows r where r.version = v.version and r.site = v.site),
       (select count(*) from plant_rows r where r.ended_by = v.version and r.site = v.site)
from plant_versions v where v.site = any(%(sites)s) order by v.recorded_at desc, v.version desc;
