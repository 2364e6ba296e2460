-- name: metrics_pending
-- Machine-hours that wait, of every site.
select site, count(distinct (machine_id, hour)) filter (where hour is not null)
from sites left join machines using (site) left join marks using (machine_id)
group by site order by site;

-- name: metrics_age
-- Seconds since the newest data of a site.
select site, round(extract(epoch from now() - max(greatest(last_sample, last_mark)))::numeric, 3)
from machine_spans join machines using (machine_id)
where last_sample is not null or last_mark is not null
group by site order by site;

-- name: metrics_agents
-- Agents by what they are.
select site,
    case when conflict then 'conflict' when online and heard_at > now() - interval '1 minute' then 'online'
    else 'offline' end, count(*)
from agents group by 1, 2 order by 1, 2;

-- name: metrics_set_aside
-- Messages that still wait for a person, by reason.
select reason, count(*) from set_aside where resolved_at is null group by reason order by reason;

-- name: metrics_late
-- Rows behind the watermark.
select site, sum(late_rows) from late_arrivals join machines using (machine_id) group by site order by site;

-- name: alive
-- Whether the database answers.
select 1;
