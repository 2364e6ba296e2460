-- name: add
-- Sets a message aside with its bytes; the same message again is only counted. Of messages that do not say
-- which batch they are, an agent id has at most %(most)s unresolved ones.
insert into set_aside (site, agent, kind, reason, detail, digest, message, stream, seq, instance, start)
select %(site)s, %(agent)s, %(kind)s, %(reason)s, %(detail)s, %(digest)s, %(message)s, %(stream)s, %(seq)s,
       %(instance)s, %(start)s
where %(seq)s::bigint is not null
   or (select count(*) from set_aside
       where site = %(site)s and agent = %(agent)s and seq is null and resolved_at is null) < %(most)s
on conflict (site, agent, kind, digest) do update set times = set_aside.times + 1, last_at = now();

-- name: waiting
-- Messages that a conflict of an agent set aside, or that a person wants tried again, and that nobody has
-- judged since, oldest first; without those of runs (instance and start in one) that are still apart.
select s.set_aside_id, s.site, s.message, s.instance, s.start
from set_aside s join agents a using (site, agent)
where a.agent_id = %(agent)s and s.reason in ('conflict', 'retry') and s.resolved_at is null and s.resolution is null
  and s.set_aside_id > %(after)s and s.kind = 'batch' and s.instance || s.start <> all(%(apart)s::bytea[])
order by s.set_aside_id limit %(limit)s;

-- name: judged
-- Says what became of messages that were set aside; resolved ones are done with.
update set_aside
set resolution = %(resolution)s, resolved_at = case when %(resolved)s then now() end
where set_aside_id = any(%(ids)s::bigint[]);

-- name: judge_again
-- Lets all that a conflict of an agent left aside be judged again.
update set_aside s set resolution = null
from agents a
where a.site = s.site and a.agent = s.agent and a.agent_id = %(agent)s
  and s.reason = 'conflict' and s.resolved_at is null;

-- name: listed
-- Unresolved messages, the newest first.
select set_aside_id, site, agent, kind, reason, seq, times, received_at, coalesce(resolution, detail)
from set_aside
where resolved_at is null and (%(site)s::text is null or site = %(site)s)
order by set_aside_id desc limit %(limit)s;

-- name: counted
-- Unresolved messages by reason.
select reason, count(*) from set_aside
where resolved_at is null and (%(site)s::text is null or site = %(site)s) group by reason order by reason;

-- name: one
-- One message with its bytes.
select site, agent, kind, reason, detail, resolution, stream, seq, instance, start, times, received_at, last_at, message
from set_aside where set_aside_id = %(id)s;

-- name: retry
-- Lets an unresolved batch be tried again.
update set_aside set reason = 'retry', resolution = null
where set_aside_id = %(id)s and kind = 'batch' and seq is not null and resolved_at is null
returning set_aside_id;
