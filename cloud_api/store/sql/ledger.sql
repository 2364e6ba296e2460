-- name: clear_segments
delete from segments where machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s;

-- name: clear_outputs
-- Closed periods keep theirs.
delete from outputs
where machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s
  and not production_day <@ %(closed)s::datemultirange;

-- name: clear_entries
-- Charges stay: they come from the plant model. Closed periods keep theirs.
delete from entries
where machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s and resource <> 'other'
  and not production_day <@ %(closed)s::datemultirange;

-- name: clear_facts
delete from hour_facts where machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s;

-- name: clear_carry
delete from carry where machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s;

-- name: copy_segments
copy segments (machine_id, hour, starts_at, ends_at, production_day, effective, state, product, order_id,
               made_product, made_order, reason, shift, calendar, overtime, paid, crew, duration_us,
               crew_assumed_us, uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material,
               changeovers, late_seen) from stdin;

-- name: copy_outputs
copy outputs (site, machine_id, hour, standard_version, calendar_version, production_day, effective, state,
              product, order_id, made_product, made_order, reason, shift, calendar, overtime, paid, crew,
              duration_us, crew_assumed_us, uncertain_us, good, scrap, rework, energy_kwh, energy_assumed,
              material, changeovers, late_seen) from stdin;

-- name: copy_entries
copy entries (site, machine_id, hour, production_day, product, order_id, shift, reason, cost_centre, resource,
              cause, item, amount, quantity, unit, rate, standard_version, calendar_version, assumed) from stdin;

-- name: add_facts
insert into hour_facts (machine_id, hour, missing, findings)
values (%(machine_id)s, %(hour)s, %(missing)s, %(findings)s);

-- name: clear_charges
-- Every charge of a site but those of closed periods.
delete from entries
where site = %(site)s and resource = 'other' and not production_day <@ %(closed)s::datemultirange;

-- name: set_boundaries
-- What is known at the start of machine-hours.
insert into carry (machine_id, hour, state)
select %(machine_id)s, hour, state from unnest(%(hours)s::timestamptz[], %(states)s::jsonb[]) as known (hour, state)
on conflict (machine_id, hour) do update set state = excluded.state;

-- name: set_computed
-- How far a machine is interpreted.
insert into computed (machine_id, through) values (%(machine_id)s, %(through)s)
on conflict (machine_id) do update set through = excluded.through, at = now();

-- name: segments_of
-- Segments of a machine as they were copied, in a half-open span of hours, in order.
select hour, starts_at, ends_at, production_day, effective, state, product, order_id, made_product, made_order,
       reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good, scrap,
       rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from segments where machine_id = %(machine_id)s and hour >= %(from)s and hour < %(to)s order by starts_at;

-- name: outputs_of
-- Outputs of a machine as they were copied, in a half-open span of hours, without those of closed periods.
select hour, standard_version, production_day, effective, state, product, order_id, made_product, made_order,
       reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good, scrap,
       rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from outputs
where machine_id = %(machine_id)s and hour >= %(from)s and hour < %(to)s
  and not production_day <@ %(closed)s::datemultirange;

-- name: entries_of
-- Entries of a machine but its charges, as they were copied, in a half-open span of hours, without those of
-- closed periods.
select hour, production_day, product, order_id, shift, reason, cost_centre, resource, cause, item, amount,
       quantity, unit, rate, standard_version, assumed
from entries
where machine_id = %(machine_id)s and hour >= %(from)s and hour < %(to)s and resource <> 'other'
  and not production_day <@ %(closed)s::datemultirange;

-- name: computed
-- The watermark up to which a machine is interpreted.
select through from computed where machine_id = %(machine_id)s;
