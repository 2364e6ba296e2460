-- name: observed
-- What machines of a site did, by production day, product and order: what standards are held against. Per
-- group: machine, day, product, order, a site date, first hour; hours running, down, changing over;
-- good, scrap, rework; kWh and passes of running time with a meter; person-hours and hours, running or
-- changing over, with a trusted crew signal; changeovers that began.
select machine_id, production_day, coalesce(made_product, product), coalesce(made_order, order_id),
       min(effective), min(hour),
       coalesce(sum(duration_us) filter (where state = 'running'), 0)::float8 / 3.6e9,
       coalesce(sum(duration_us) filter (where state = 'down'), 0)::float8 / 3.6e9,
       coalesce(sum(duration_us) filter (where state = 'changeover'), 0)::float8 / 3.6e9,
       sum(good)::float8, sum(scrap)::float8, sum(rework)::float8,
       coalesce(sum(energy_kwh) filter (where state = 'running' and not energy_assumed), 0)::float8,
       coalesce(sum(good + scrap + rework) filter (where state = 'running' and not energy_assumed), 0)::float8,
       coalesce(sum(crew * duration_us) filter (where state in ('running', 'changeover')
                                                and crew_assumed_us = 0), 0)::float8 / 3.6e9,
       coalesce(sum(duration_us) filter (where state in ('running', 'changeover')
                                         and crew_assumed_us = 0), 0)::float8 / 3.6e9,
       coalesce(sum((select sum((turn ->> 'count')::int) from jsonb_array_elements(changeovers) turn))
                filter (where changeovers <> '[]'), 0)::float8
from ledger_outputs
where site = %(site)s and machine_id = any(%(machines)s)
  and production_day >= %(first_day)s and production_day < %(end_day)s
  and state in ('running', 'down', 'changeover')
  and coalesce(made_product, product) is not null
group by 1, 2, 3, 4
order by 1, 3, 6;

-- name: priced
-- What actual prices cost beyond standard ones: machine, resource, item, amount, and quantity of all causes.
select machine_id, resource, item, coalesce(sum(amount) filter (where cause = 'price'), 0)::float8,
       coalesce(sum(quantity), 0)::float8
from ledger_entries
where site = %(site)s and machine_id = any(%(machines)s)
  and production_day >= %(first_day)s and production_day < %(end_day)s
  and resource in ('machine', 'labour', 'energy', 'material')
group by 1, 2, 3;
