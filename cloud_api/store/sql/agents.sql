-- name: add_sites
-- Makes rows for sites that are seen for the first time.
insert into sites (site) select distinct unnest(%(sites)s::text[]) order by 1 on conflict do nothing;

-- name: add
-- Makes rows for agents that are seen for the first time.
insert into agents (site, agent)
select site, agent from unnest(%(sites)s::text[], %(agents)s::text[]) as seen (site, agent)
order by 1, 2 on conflict do nothing;

-- name: ids
-- Ids of agents by site and name.
select site, agent, agent_id
from agents join unnest(%(sites)s::text[], %(agents)s::text[]) as seen (site, agent) using (site, agent);

-- name: lock
-- Locks agents, in the order of their ids, until the transaction ends.
select agent_id, site, agent, holder_instance, holder_start, conflict_since, now()
from agents where agent_id = any(%(agents)s::int[]) order by agent_id for no key update;

-- name: runs
-- Runs of agents: the holder, those in conflict, and those heard in the last 7 days.
select r.agent_id, r.instance, r.start, r.first_at, r.last_at, r.connected, r.counter, r.ended, r.dropped, r.lost
from agent_starts r join agents a using (agent_id)
where agent_id = any(%(agents)s::int[])
  and (r.last_at > now() - interval '7 days' or (r.instance, r.start) = (a.holder_instance, a.holder_start)
       or r.last_at >= a.conflict_since);

-- name: save_run
-- Keeps what is known of one run.
insert into agent_starts (agent_id, instance, start, first_at, last_at, connected, counter, ended, dropped, lost)
values (%(agent)s, %(instance)s, %(start)s, %(first)s, %(last)s, %(connected)s, %(counter)s, %(ended)s, %(dropped)s,
        %(lost)s)
on conflict (agent_id, instance, start) do update
set last_at = excluded.last_at, connected = excluded.connected, counter = excluded.counter,
    ended = excluded.ended, dropped = excluded.dropped, lost = excluded.lost;

-- name: save_holder
-- Keeps who holds an agent id, since when it is in conflict, and when it was last heard.
update agents
set holder_instance = %(instance)s, holder_start = %(start)s, conflict_since = %(conflict_since)s,
    heard_at = greatest(heard_at, %(heard)s)
where agent_id = %(agent)s;

-- name: save_hello
-- What a hello told of its agent.
update agents
set version = %(version)s, config_hash = %(config_hash)s, certificate_expires_at = %(certificate_expires)s,
    online = true
where agent_id = %(agent)s;

-- name: save_status
-- What a status told of its agent.
update agents
set status = %(status)s, status_at = %(status_at)s, online = %(online)s,
    version = case when %(version)s = '' then version else %(version)s end,
    config_hash = case when %(config_hash)s = '' then config_hash else %(config_hash)s end,
    certificate_expires_at = coalesce(%(certificate_expires)s, certificate_expires_at)
where agent_id = %(agent)s;

-- name: save_offline
-- An agent is gone.
update agents set online = false where agent_id = %(agent)s;

-- name: known
-- Every agent, for a sign of life.
select site, agent from agents order by site, agent;

-- name: unsettled
-- Agents in conflict, or with messages set aside for one that may be over, or to be tried again.
select agent_id from agents where conflict_since is not null
union
select a.agent_id
from set_aside s join agents a using (site, agent)
where s.kind = 'batch' and s.reason in ('conflict', 'retry') and s.resolved_at is null and s.resolution is null
order by 1;
