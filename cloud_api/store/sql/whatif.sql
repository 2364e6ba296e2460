-- name: runs
-- How products ran on some machines of a site: machine, product of the time, product of the units, state, whether
-- scheduled, microseconds, people x microseconds, good, scrap, rework, changeovers that began.
select machine_id, product, made_product, state, calendar = 'scheduled', sum(duration_us)::bigint,
       sum(crew * duration_us), sum(good), sum(scrap), sum(rework),
       coalesce(sum((select sum((turn ->> 'count')::int) from jsonb_array_elements(changeovers) as turn))
                filter (where changeovers <> '[]'), 0)::int
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s)
  -- use: booked_hours
  -- use: booked_days
group by 1, 2, 3, 4, 5;
