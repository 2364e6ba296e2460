-- name: kept
-- Locked and closed periods of a site that keep a plant model, in order: period, status, first production day,
-- production day after the last, version of the plant model, instant of the lock or close.
select period, status, first_day, end_day, plant_version, coalesce(closed_at, locked_at)
from periods where site = %(site)s and status <> 'provisional' and first_day is not null
order by first_day;

-- name: hold
-- Locks the row of a period until the transaction ends, made where it is new.
insert into periods (site, period, starts_at, ends_at, first_day, end_day)
values (%(site)s, %(period)s, %(starts_at)s, %(ends_at)s, %(first_day)s, %(end_day)s)
on conflict (site, period) do update set first_day = excluded.first_day, end_day = excluded.end_day
where periods.status <> 'closed'
returning status, locked_at, plant_version;

-- name: lock
-- Locks a period with the plant model that it keeps.
update periods set status = 'locked', locked_at = %(now)s, locked_by = %(key)s, plant_version = %(version)s
where site = %(site)s and period = %(period)s;

-- name: unlock
-- Opens a locked period again.
update periods set status = 'provisional', locked_at = null, locked_by = null, plant_version = null
where site = %(site)s and period = %(period)s;

-- name: close
-- Closes a period for good.
update periods
set status = 'closed', closed_at = %(now)s, closed_by = %(key)s, plant_version = %(version)s, frozen = %(frozen)s
where site = %(site)s and period = %(period)s;

-- name: waiting
-- Machine-hours of a site before an instant that are still to be interpreted.
select count(distinct (machine_id, hour)) from marks join machines using (machine_id)
where site = %(site)s and hour < %(ends_at)s;

-- name: totals
-- What a period froze: amounts by resource and cause, and the number of entries.
select resource, cause, sum(amount), count(*) from entries
where site = %(site)s and production_day >= %(first_day)s and production_day < %(end_day)s
group by 1, 2 order by 1, 2;

-- name: received
-- What was received of each stream of a site's agents.
select agent, encode(stream, 'hex'), received::text
from streams join agents using (agent_id) where site = %(site)s order by 1, 2;

-- name: adjustments
-- Adjustments of periods of some sites, summed: site, period, machine, resource, cause, day of the booking,
-- first and last instant of it, amount.
select a.site, a.period, m.machine, a.resource, a.cause, a.booked_day, max(a.booked_at), sum(a.amount), count(*)
from adjustments a left join machines m using (machine_id)
where a.site = any(%(sites)s)
  and (%(machines)s::int[] is null or a.machine_id is null or a.machine_id = any(%(machines)s))
  and not a.resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6
having sum(a.amount) <> 0
order by 1, 2, 6, 3, 4, 5;

-- name: entries_of_closed
-- Frozen entries and their adjustments of a machine (null: charges of the site) in a half-open span of hours, as
-- far as their production days lie in some spans, in the order of the columns that are copied.
select site, machine_id, hour, production_day, product, order_id, shift, reason, cost_centre, resource, cause, item,
       amount, quantity, unit, rate, standard_version, calendar_version, assumed
from ledger_entries
where site = %(site)s and machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s
  and resource <> 'other' and production_day <@ %(days)s::datemultirange;

-- name: charges_of_closed
-- Frozen charges of a site and their adjustments, as far as their production days lie in some spans.
select site, machine_id, hour, production_day, product, order_id, shift, reason, cost_centre, resource, cause, item,
       amount, quantity, unit, rate, standard_version, calendar_version, assumed
from ledger_entries
where site = %(site)s and resource = 'other' and production_day <@ %(days)s::datemultirange;

-- name: outputs_of_closed
-- Frozen outputs and their adjustments of a machine, likewise.
select site, machine_id, hour, standard_version, calendar_version, production_day, effective, state, product,
       order_id, made_product, made_order, reason, shift, calendar, overtime, paid, crew, duration_us,
       crew_assumed_us, uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from ledger_outputs
where site = %(site)s and machine_id = %(machine_id)s and hour >= %(from)s and hour <= %(to)s
  and production_day <@ %(days)s::datemultirange;

-- name: copy_adjustments
copy adjustments (period, booked_at, booked_hour, booked_day, site, machine_id, hour, production_day, product, order_id,
                  shift, reason, cost_centre, resource, cause, item, amount, quantity, unit, rate, standard_version,
                  calendar_version, assumed) from stdin;

-- name: copy_output_adjustments
copy output_adjustments (period, booked_at, booked_hour, booked_day, site, machine_id, hour, standard_version,
                         calendar_version, production_day, effective, state, product, order_id, made_product,
                         made_order, reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us,
                         uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material, changeovers,
                         late_seen) from stdin;

-- name: ask
-- Asks a second person; nothing where the same is asked already.
insert into approvals (site, action, subject, digest, detail, asked_by, asked_at)
values (%(site)s, %(action)s, %(subject)s, %(digest)s, %(detail)s, %(key)s, %(now)s)
on conflict do nothing;

-- name: asked
-- Who asked for this and still waits for a second person.
select approval_id, asked_by from approvals
where site = %(site)s and action = %(action)s and subject = %(subject)s and digest = %(digest)s
  and approved_at is null and withdrawn_at is null
for update;

-- name: approve
-- A second person agrees.
update approvals set approved_by = %(key)s, approved_at = %(now)s where approval_id = %(id)s;

-- name: open_approvals
-- What waits for a second person at some sites.
select approval_id, site, action, subject, detail, asked_by, asked_at from approvals
where site = any(%(sites)s) and approved_at is null and withdrawn_at is null order by asked_at;

-- name: wait_for_interpreter
-- Waits until no interpreter holds the machine, and keeps others out until this transaction ends.
select pg_advisory_xact_lock(hashtext('plantledger interpret'), %(machine_id)s);

-- name: told
-- What is kept of the periods of some sites.
select site, period, plant_version, coalesce(closed_at, locked_at), coalesce(closed_by, locked_by)
from periods where site = any(%(sites)s) and status <> 'provisional';

-- name: marked
-- Hours of some machines that wait, per site, oldest first.
select site, hour, count(distinct machine_id) from marks join machines using (machine_id)
where machine_id = any(%(machines)s) group by 1, 2 order by 1, 2;

-- name: frozen
-- What the closes of a site recorded: period, first day, end day, amounts by resource and cause.
select period, first_day, end_day, frozen -> 'amounts' from periods
where site = %(site)s and status = 'closed' order by first_day;
