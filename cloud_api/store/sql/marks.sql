-- name: append
-- Appends one mark for each machine-hour of two parallel arrays.
insert into marks (machine_id, hour)
select machine_id, hour from unnest(%(machines)s::int[], %(hours)s::timestamptz[]) as dirty (machine_id, hour);

-- name: append_span
-- Appends a mark for each UTC hour that [starts_at, ends_at) touches, for each machine.
insert into marks (machine_id, hour)
select machine_id, hour
from unnest(%(machines)s::int[]) as machine_id,
     generate_series(date_trunc('hour', %(starts_at)s::timestamptz, 'UTC'), %(ends_at)s::timestamptz, '1 hour') as hour
where hour < %(ends_at)s::timestamptz or hour = %(starts_at)s::timestamptz;

-- name: machines
-- Machines that have marks, the longest waiting first.
select machine_id, min(marked_at), count(distinct hour) from marks group by machine_id order by 2, 1;

-- name: of_machine
-- Marks of one machine: id and hour.
select mark_id, hour from marks where machine_id = %(machine_id)s order by hour, mark_id;

-- name: remove
-- Removes the marks that were read.
delete from marks where mark_id = any(%(ids)s::bigint[]);

-- name: pending_hours
-- Machine-hours that still wait for the interpreter, per site.
select site, count(*)
from (select distinct machine_id, hour from marks) as waiting join machines using (machine_id)
group by site;
