-- name: lock
-- One backfill of a site at a time, for as long as the session lasts or until it is released.
select pg_advisory_lock(hashtext('plantledger backfill ' || %(site)s));

-- name: unlock
-- Lets the next backfill of the site begin.
select pg_advisory_unlock(hashtext('plantledger backfill ' || %(site)s));

-- name: stage
-- A table of this transaction for rows of a week of which some are stored already.
create temp table history_rows (
    time timestamptz, series_id int, value float8, text text collate "C", raw float8, raw_text text,
    source_time timestamptz, quality smallint, origin smallint, received_at timestamptz
) on commit drop;

-- name: copy
-- Staged rows as a binary block.
copy history_rows (time, series_id, value, text, raw, raw_text, source_time, quality, origin, received_at)
from stdin (format binary);

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
-- Series and machine in the database of each series of the files, in their order.
select series_id, machine_id
from unnest(%(machines)s::text[], %(signals)s::text[], %(roles)s::text[], %(items)s::text[])
     with ordinality as met (machine, signal, role, item, number)
join machines m using (machine)
join series s using (machine_id)
where m.site = %(site)s and s.source_id is null and s.signal = met.signal and s.role = met.role
  and s.item is not distinct from met.item and s.unit is null and s.declared = '{}'
order by number;

-- name: has_history
-- Whether any of the series has rows of files in a span already.
select exists (
    select from unnest(%(series)s::int[]) as wanted
    where exists (
        select from samples x
        where x.series_id = wanted and x.time >= %(from)s and x.time < %(to)s and x.origin = 1
    )
);

-- name: store_missing
-- Stores the staged rows that are not there yet. Gives the machine-hours that changed, with rows, first and
-- last time of each.
with fresh as (
    insert into samples (time, series_id, value, text, quality, origin, received_at)
    select s.time, s.series_id, s.value, s.text, s.quality, s.origin, s.received_at
    from history_rows s
    where not exists (
        select from samples x
        where x.series_id = s.series_id and x.time = s.time and x.origin = 1 and x.quality = s.quality
          and x.value is not distinct from s.value and x.text is not distinct from s.text
          and x.time >= %(from)s and x.time < %(to)s
      )
    returning time, series_id
)
select machine_id, date_trunc('hour', time, 'UTC'), count(*), min(time), max(time)
from fresh join series using (series_id)
group by 1, 2;

-- name: met_live
-- Machines of a site of which an agent and files both told.
select machine_id from series join machines using (machine_id)
where site = %(site)s group by machine_id having bool_or(source_id is null) and bool_or(source_id is not null)
order by machine_id;
