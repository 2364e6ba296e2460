-- name: lock
-- One backfill of a site at a time, for as long as the session lasts or until it is released.
select pg_advisory_lock(hashtext('plantledger backfill ' || %(site)s));

-- name: unlock
-- Lets the next backfill of the site begin.
select pg_advisory_unlock(hashtext('plantledger backfill ' || %(site)s));

-- name: stage
-- A table of this session for rows that are read but not applied; series_id counts series of the files.
create temp table history_rows (
    time timestamptz, series_id int, value float8, text text collate "C", raw float8, raw_text text,
    source_time timestamptz, quality smallint, origin smallint, received_at timestamptz
);

-- name: stage_series
-- A table of this session that leads from series of the files to those of the database.
create temp table history_series (number int primary key, series_id int not null, machine_id int not null);

-- name: copy
-- Staged rows as a binary block.
copy history_rows (time, series_id, value, text, raw, raw_text, source_time, quality, origin, received_at)
from stdin (format binary);

-- name: index
-- Staged rows are taken by time.
create index on history_rows (time);

-- name: weeks
-- The weeks that staged rows lie in, with their number of rows.
select (date_trunc('week', time at time zone 'UTC')) at time zone 'UTC' as week, count(*)
from history_rows group by 1 order by 1;

-- name: unstage
-- Leaves nothing behind.
drop table if exists history_rows, history_series;

-- name: add_machines
-- Machines that are met for the first time.
insert into machines (site, machine) select %(site)s, unnest(%(machines)s::text[]) on conflict do nothing;

-- name: add_series
-- Series of history files: they have no source.
insert into series (machine_id, signal, role, item)
select machine_id, signal, role, item
from unnest(%(machines)s::text[], %(signals)s::text[], %(roles)s::text[], %(items)s::text[])
     as met (machine, signal, role, item)
join machines using (machine)
where site = %(site)s
on conflict do nothing;

-- name: number_series
-- Leads from the series of the files, in their order, to those of the database.
insert into history_series (number, series_id, machine_id)
select number - 1, series_id, machine_id
from unnest(%(machines)s::text[], %(signals)s::text[], %(roles)s::text[], %(items)s::text[])
     with ordinality as met (machine, signal, role, item, number)
join machines m using (machine)
join series s using (machine_id)
where m.site = %(site)s and s.source_id is null and s.signal = met.signal and s.role = met.role
  and s.item is not distinct from met.item and s.unit is null and s.declared = '{}';

-- name: has_history
-- Whether any of the series has rows of files in a span already.
select exists (
    select from history_series h
    where exists (
        select from samples x
        where x.series_id = h.series_id and x.time >= %(from)s and x.time < %(to)s and x.origin = 1
    )
);

-- name: apply_new
-- Stores the staged rows of a span, where none of these series has any yet. Gives the machine-hours that
-- changed, with rows, first and last time of each.
with fresh as (
    insert into samples (time, series_id, value, text, quality, origin, received_at)
    select distinct s.time, h.series_id, s.value, s.text, s.quality, 1::smallint, now()
    from history_rows s join history_series h on h.number = s.series_id
    where s.time >= %(from)s and s.time < %(to)s
    returning time, series_id
)
select machine_id, date_trunc('hour', time, 'UTC'), count(*), min(time), max(time)
from fresh join history_series using (series_id)
group by 1, 2;

-- name: apply_missing
-- Stores the staged rows of a span that are not there yet. Gives what apply_new gives.
with fresh as (
    insert into samples (time, series_id, value, text, quality, origin, received_at)
    select distinct s.time, h.series_id, s.value, s.text, s.quality, 1::smallint, now()
    from history_rows s join history_series h on h.number = s.series_id
    where s.time >= %(from)s and s.time < %(to)s
      and not exists (
        select from samples x
        where x.series_id = h.series_id and x.time = s.time and x.origin = 1 and x.quality = s.quality
          and x.value is not distinct from s.value and x.text is not distinct from s.text
          and x.time >= %(from)s and x.time < %(to)s
      )
    returning time, series_id
)
select machine_id, date_trunc('hour', time, 'UTC'), count(*), min(time), max(time)
from fresh join history_series using (series_id)
group by 1, 2;

-- name: raise_spans
-- Lengthens the time lines of machines, rows taken in the order of machine_id.
insert into machine_spans (machine_id, first_sample, last_sample)
select machine_id, first_sample, last_sample
from unnest(%(machines)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[])
     as seen (machine_id, first_sample, last_sample)
order by machine_id
on conflict (machine_id) do update
set first_sample = least(machine_spans.first_sample, excluded.first_sample),
    last_sample = greatest(machine_spans.last_sample, excluded.last_sample);
