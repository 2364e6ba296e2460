-- name: add
-- Keeps a gap or pending record, with the batch that told it.
insert into losses (agent_id, kind, starts_at, ends_at, reason, series, samples, stream, seqs, told_stream, told_seq)
values (%(agent)s, %(kind)s, %(starts_at)s, %(ends_at)s, %(reason)s, %(series)s, %(samples)s, %(stream)s,
        %(seqs)s::int8range, %(told_stream)s, %(told_seq)s);

-- name: resolve
-- Ends pending records of an agent whose backlog is all in: what its disk announced, and all before the
-- batch that told of it. Tells their spans.
update losses l
set resolved_at = now()
where l.agent_id = %(agent)s and l.kind = 'pending' and l.resolved_at is null
  and not exists (select from streams s where s.agent_id = l.agent_id and not s.announced <@ s.received)
  and exists (select from streams s
              where s.agent_id = l.agent_id and s.stream = l.told_stream
                and int8multirange(int8range(1, l.told_seq)) <@ s.received)
returning starts_at, ends_at;

-- name: open_pending
-- Agents, of these, that have a pending record.
select distinct agent_id from losses
where kind = 'pending' and resolved_at is null and agent_id = any(%(agents)s::int[]);

-- name: machines
-- Machines of some series of an agent; of all its series where none are named.
select distinct s.machine_id
from series s join sources o using (source_id)
where o.agent_id = %(agent)s and (cardinality(%(series)s::int[]) = 0 or s.series_id = any(%(series)s::int[]));
