-- name: add
-- Makes rows for streams that are seen for the first time.
insert into streams (agent_id, stream, instance)
select agent_id, stream, instance
from unnest(%(agents)s::int[], %(streams)s::bytea[], %(instances)s::bytea[]) as seen (agent_id, stream, instance)
order by 1, 2 on conflict do nothing;

-- name: lock
-- Locks stream rows in the order of agent and stream, with their ranges as two arrays (half-open).
select s.agent_id, s.stream,
       array(select lower(r) from unnest(s.received) r), array(select upper(r) from unnest(s.received) r)
from streams s
join unnest(%(agents)s::int[], %(streams)s::bytea[]) as wanted (agent_id, stream) using (agent_id, stream)
order by s.agent_id, s.stream for no key update of s;

-- name: receive
-- Adds seqs to what was received of a stream; tells all that was received.
update streams
set received = received + %(seqs)s::int8multirange, last_at = now()
where agent_id = %(agent)s and stream = %(stream)s
returning array(select lower(r) from unnest(received) r), array(select upper(r) from unnest(received) r);

-- name: announce
-- What an agent's disk holds of a stream now; tells what was received of it.
update streams
set announced = %(seqs)s::int8multirange
where agent_id = %(agent)s and stream = %(stream)s
returning array(select lower(r) from unnest(received) r), array(select upper(r) from unnest(received) r);

-- name: withdraw
-- What a hello no longer names is no longer on the agent's disk.
update streams set announced = '{}'
where agent_id = %(agent)s and announced <> '{}' and stream <> all(%(streams)s::bytea[]);
