-- name: series
-- Series of a signal that carry raw values, with machine and site.
select series_id, machine_id, machine, site
from series join machines using (machine_id)
where machine = %(machine)s and signal = %(signal)s and site = coalesce(%(site)s, site) and source_id is not null
order by series_id;

-- name: apply
-- Gives samples of some series from an instant on the word that stands beside their raw value, unless they lie in a
-- locked or closed period; tells each hour and how many samples changed in it.
with words as (
    select raw, word from unnest(%(raws)s::text[], %(words)s::text[]) as given (raw, word)
), changed as (
    update samples s set text = w.word
    from words w
    where s.series_id = any(%(series)s::int[]) and s.time >= %(from)s
      and coalesce(s.raw_text, (s.raw::numeric)::text) = w.raw
      and s.text is distinct from w.word
      and not exists (
          select from periods p
          where p.site = %(site)s and p.status <> 'provisional' and s.time >= p.starts_at and s.time < p.ends_at
      )
    returning s.time
)
select date_trunc('hour', time, 'UTC'), count(*) from changed group by 1 order by 1;

-- name: left
-- Samples from an instant on that carry a raw value which the map does not name, and those that lie in locked or
-- closed periods.
select count(*) filter (where coalesce(s.raw_text, (s.raw::numeric)::text) <> all(%(raws)s::text[])),
       count(*) filter (where exists (
           select from periods p
           where p.site = %(site)s and p.status <> 'provisional' and s.time >= p.starts_at and s.time < p.ends_at))
from samples s
where s.series_id = any(%(series)s::int[]) and s.time >= %(from)s and (s.raw is not null or s.raw_text is not null);
