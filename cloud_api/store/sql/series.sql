-- name: dictionary
-- The bytes of a dictionary.
select packed from dictionaries where dictionary = %(dictionary)s;

-- name: known_dictionaries
-- Which of these dictionaries are there.
select dictionary from dictionaries where dictionary = any(%(dictionaries)s::bytea[]);

-- name: keep_dictionary
-- Keeps a dictionary by its hash.
insert into dictionaries (dictionary, packed) values (%(dictionary)s, %(packed)s) on conflict do nothing;

-- name: add_machines
-- Makes rows for machines that are seen for the first time; a line is taken where none is known yet.
insert into machines (site, machine, line)
select %(site)s, machine, line from unnest(%(machines)s::text[], %(lines)s::text[]) as seen (machine, line)
order by machine
on conflict (site, machine) do update set line = excluded.line
where machines.line is null and excluded.line is not null;

-- name: machines
-- Ids of machines by name.
select machine, machine_id from machines where site = %(site)s and machine = any(%(machines)s::text[]);

-- name: add_sources
-- Makes rows for sources that are seen for the first time.
insert into sources (agent_id, source, kind)
select %(agent)s, source, kind from unnest(%(sources)s::text[], %(kinds)s::text[]) as seen (source, kind)
order by source on conflict do nothing;

-- name: sources
-- Ids of an agent's sources by name.
select source, source_id from sources where agent_id = %(agent)s;

-- name: add
-- Makes rows for descriptions of signals that are not there yet. source_id 0 stands for none.
insert into series (machine_id, source_id, signal, role, item, unit, declared)
select machine_id, nullif(source_id, 0), signal, role, item, unit, declared
from unnest(%(machines)s::int[], %(sources)s::int[], %(signals)s::text[], %(roles)s::text[], %(items)s::text[],
            %(units)s::text[], %(declared)s::jsonb[])
     as seen (machine_id, source_id, signal, role, item, unit, declared)
order by machine_id, signal
on conflict do nothing;

-- name: of_machines
-- Every series of some machines. source_id 0 stands for none.
select series_id, machine_id, coalesce(source_id, 0), signal, role, item, unit, declared
from series where machine_id = any(%(machines)s::int[]);
