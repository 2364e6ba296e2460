-- Finance's views once more, in types that every client takes: numbers of at most 10 decimals (a .NET decimal, which
-- Power BI and Excel read through Npgsql, holds no more than 28), and times as they stand on the clocks of the site
-- beside the instants, as clients show those in a zone of their own. Sites tell currency and time zone.
--
-- Views that others build on cannot be dropped: from here on a view gains columns at its end (create or replace).

create temp table finance_readers on commit drop as
select distinct r.rolname
from pg_class c cross join aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
where c.relkind = 'v' and c.relname like 'fin\_%' and c.relnamespace = current_schema()::regnamespace
    and a.privilege_type = 'SELECT' and a.grantee <> c.relowner;

drop view fin_machines, fin_costs, fin_output, fin_time, fin_variances, fin_segments, fin_periods, fin_adjustments,
    fin_trust;

create view fin_sites as
select s.site, p.body ->> 'time_zone' as time_zone, p.body ->> 'currency' as currency
from sites s
left join lateral (
    select body from plant_rows
    where site = s.site and kind = 'site' and ended_by is null
    order by version desc, row_id desc limit 1
) p on true;

create view fin_machines as
select site, line, machine, cost_centre, place
from machines;

create view fin_costs as
select e.site, m.line, m.machine, e.booked_day as day, e.production_day as event_day, e.product, e.order_id, e.shift,
       e.reason, e.cost_centre, e.resource, e.cause, e.item, sum(e.amount)::numeric(38, 10) as amount,
       sum(e.quantity)::numeric(38, 10) as quantity,
       e.unit, bool_or(e.assumed) as assumed, e.adjusts
from ledger_entries e left join machines m using (machine_id)
group by e.site, m.line, m.machine, e.booked_day, e.production_day, e.product, e.order_id, e.shift, e.reason,
         e.cost_centre, e.resource, e.cause, e.item, e.unit, e.adjusts;

create view fin_output as
select o.site, m.line, m.machine, o.booked_day as day, o.production_day as event_day, o.made_product as product,
       o.made_order as order_id, o.shift, sum(o.good)::numeric(38, 10) as good, sum(o.scrap)::numeric(38, 10) as scrap,
       sum(o.rework)::numeric(38, 10) as rework, sum(o.energy_kwh)::numeric(38, 10) as energy_kwh, o.adjusts
from ledger_outputs o join machines m using (machine_id)
group by o.site, m.line, m.machine, o.booked_day, o.production_day, o.made_product, o.made_order, o.shift, o.adjusts;

create view fin_time as
select o.site, m.line, m.machine, o.booked_day as day, o.production_day as event_day, o.product, o.order_id, o.shift,
       o.calendar, o.state, o.reason, (sum(o.duration_us) / 3600000000.0)::numeric(38, 10) as hours, o.adjusts
from ledger_outputs o join machines m using (machine_id)
group by o.site, m.line, m.machine, o.booked_day, o.production_day, o.product, o.order_id, o.shift, o.calendar,
         o.state, o.reason, o.adjusts;

create view fin_variances as
with cells as (
    select e.site, e.machine_id, e.booked_day as day, e.product, e.order_id, e.shift, e.resource, e.cause,
           e.amount as actual, 0::numeric as allowance
    from ledger_entries e
    union all
    select o.site, a.booked_machine_id, o.booked_day, o.made_product, o.made_order, o.shift, a.resource, a.cause,
           0::numeric, o.good * a.per_good + o.scrap * a.per_scrap
    from (
        select site, machine_id, booked_day, effective, made_product, made_order, shift, sum(good) as good,
               sum(scrap) as scrap
        from ledger_outputs
        where good <> 0 or scrap <> 0
        group by site, machine_id, booked_day, effective, made_product, made_order, shift
    ) o
    join allowances a on a.machine_id = o.machine_id and a.effective = o.effective
        and a.product = o.made_product and a.shift is not distinct from o.shift
)
select c.site, m.line, m.machine, c.day, c.product, c.order_id, c.shift, c.resource, c.cause,
       sum(c.actual)::numeric(38, 10) as actual, sum(c.allowance)::numeric(38, 10) as allowance,
       (sum(c.actual) - sum(c.allowance))::numeric(38, 10) as variance
from cells c left join machines m using (machine_id)
group by c.site, m.line, m.machine, c.day, c.product, c.order_id, c.shift, c.resource, c.cause;

create view fin_segments as
select m.site, m.line, m.machine, s.starts_at, s.ends_at, s.production_day as event_day, s.state, s.product, s.order_id,
       s.reason, s.crew::numeric(38, 10), s.shift, s.calendar, s.good::numeric(38, 10), s.scrap::numeric(38, 10),
       s.rework::numeric(38, 10), s.energy_kwh::numeric(38, 10),
       s.starts_at at time zone coalesce(z.time_zone, 'UTC') as starts_local,
       s.ends_at at time zone coalesce(z.time_zone, 'UTC') as ends_local
from segments s join machines m using (machine_id) left join fin_sites z on z.site = m.site;

create view fin_periods as
select p.site, p.period, p.first_day, p.end_day, p.starts_at, p.ends_at, p.status, p.locked_at, p.closed_at,
       p.closed_at at time zone coalesce(z.time_zone, 'UTC') as closed_local
from periods p left join fin_sites z using (site);

create view fin_adjustments as
select a.site, a.period, a.booked_at, a.booked_day as day, a.production_day as event_day, m.line, m.machine, a.product,
       a.order_id, a.resource, a.cause, a.amount::numeric(38, 10), a.quantity::numeric(38, 10), a.unit,
       a.booked_at at time zone coalesce(z.time_zone, 'UTC') as booked_local
from adjustments a left join machines m using (machine_id) left join fin_sites z on z.site = a.site;

create view fin_trust as
select t.site, m.line, m.machine, t.production_day as event_day,
       (t.trusted_us / 3600000000.0)::numeric(38, 10) as trusted_hours,
       (t.stop_us / 3600000000.0)::numeric(38, 10) as stop_hours,
       (t.reasoned_us / 3600000000.0)::numeric(38, 10) as reasoned_hours
from trust_days t join machines m using (machine_id);

comment on view fin_sites is 'Sites: the currency of their amounts, and the zone of their clocks.';
comment on column fin_sites.site is 'Site.';
comment on column fin_sites.time_zone is
    'Zone of its clocks, and of the times in columns that end in _local; null without a plant model.';
comment on column fin_sites.currency is 'ISO 4217 code of all its amounts; null without a plant model.';

comment on view fin_machines is 'Every machine that has data or stands in a plant model.';
comment on column fin_machines.site is 'Site.';
comment on column fin_machines.line is 'Line, as in site.yaml.';
comment on column fin_machines.machine is 'Machine.';
comment on column fin_machines.cost_centre is 'Cost centre of the machine.';
comment on column fin_machines.place is 'Its place in the line, from 0.';

comment on view fin_costs is 'Actual cost by day: use of each resource x actual price, by cause (API: /v1/costs).';
comment on column fin_costs.site is 'Site.';
comment on column fin_costs.line is 'Line; null for a charge of the whole site.';
comment on column fin_costs.machine is 'Machine; null for a charge of the whole site.';
comment on column fin_costs.day is 'Day on which it is booked: an adjustment of a closed period in the open one.';
comment on column fin_costs.event_day is 'Production day on which it happened.';
comment on column fin_costs.product is 'Product; null where none ran.';
comment on column fin_costs.order_id is 'Order; null where none ran.';
comment on column fin_costs.shift is 'Shift; null outside all shifts.';
comment on column fin_costs.reason is 'Reason of a stop; null where none was given.';
comment on column fin_costs.cost_centre is 'Cost centre.';
comment on column fin_costs.resource is 'machine, labour, energy, material, or other for charges.';
comment on column fin_costs.cause is 'Why it cost: production, scrap, downtime, price, ...';
comment on column fin_costs.item is 'Material, for resource material.';
comment on column fin_costs.amount is 'In the currency of the site (fin_sites), to 10 decimals.';
comment on column fin_costs.quantity is 'Hours, kWh or units of the material; see unit.';
comment on column fin_costs.unit is 'Unit of quantity.';
comment on column fin_costs.assumed is 'Whether some of it was assumed at standard for want of a signal.';
comment on column fin_costs.adjusts is 'The closed period that the row adjusts; null for what is no adjustment.';

comment on view fin_output is 'Units and energy by day. Output of a line counts at its last machine: filter by it.';
comment on column fin_output.site is 'Site.';
comment on column fin_output.line is 'Line.';
comment on column fin_output.machine is 'Machine.';
comment on column fin_output.day is 'Day on which it is booked.';
comment on column fin_output.event_day is 'Production day on which it was made.';
comment on column fin_output.product is 'Product that was made.';
comment on column fin_output.order_id is 'Order that it was made for.';
comment on column fin_output.shift is 'Shift.';
comment on column fin_output.good is 'Good units.';
comment on column fin_output.scrap is 'Scrap units.';
comment on column fin_output.rework is 'Passes that ended in rework.';
comment on column fin_output.energy_kwh is 'Energy used, kWh.';
comment on column fin_output.adjusts is 'The closed period that the row adjusts.';

comment on view fin_time is 'Hours of each machine by day, state and reason.';
comment on column fin_time.site is 'Site.';
comment on column fin_time.line is 'Line.';
comment on column fin_time.machine is 'Machine.';
comment on column fin_time.day is 'Day on which it is booked.';
comment on column fin_time.event_day is 'Production day.';
comment on column fin_time.product is 'Product of the time; null in idle and planned stops.';
comment on column fin_time.order_id is 'Order of the time.';
comment on column fin_time.shift is 'Shift.';
comment on column fin_time.calendar is 'scheduled, break or off.';
comment on column fin_time.state is 'running, down, changeover, waiting, idle, planned_stop or unknown.';
comment on column fin_time.reason is 'Reason of the stop.';
comment on column fin_time.hours is 'Hours.';
comment on column fin_time.adjusts is 'The closed period that the row adjusts.';

comment on view fin_variances is
    'Actual against flexed standard by day: variance = actual - good units x allowance, positive is unfavourable. '
    'Rows of resource line close a line of several machines (API: /v1/variances).';
comment on column fin_variances.site is 'Site.';
comment on column fin_variances.line is 'Line; null for a charge of the whole site.';
comment on column fin_variances.machine is 'Machine; null for a charge of the whole site.';
comment on column fin_variances.day is 'Day on which it is booked.';
comment on column fin_variances.product is 'Product.';
comment on column fin_variances.order_id is 'Order.';
comment on column fin_variances.shift is 'Shift.';
comment on column fin_variances.resource is 'machine, labour, energy, material, other, or line.';
comment on column fin_variances.cause is 'Cause; of resource line: scrap_upstream and wip_change.';
comment on column fin_variances.actual is 'Actual cost, in the currency of the site (fin_sites).';
comment on column fin_variances.allowance is 'What the standard then known allows for the good units made.';
comment on column fin_variances.variance is 'actual - allowance.';

comment on view fin_segments is
    'The evidence: spans of constant state, product, order, reason, crew and shift, cut at UTC hours.';
comment on column fin_segments.site is 'Site.';
comment on column fin_segments.line is 'Line.';
comment on column fin_segments.machine is 'Machine.';
comment on column fin_segments.starts_at is 'First instant, as an instant.';
comment on column fin_segments.ends_at is 'End, exclusive, as an instant.';
comment on column fin_segments.event_day is 'Production day.';
comment on column fin_segments.state is 'State of the machine.';
comment on column fin_segments.product is 'Product.';
comment on column fin_segments.order_id is 'Order.';
comment on column fin_segments.reason is 'Reason.';
comment on column fin_segments.crew is 'People at the machine.';
comment on column fin_segments.shift is 'Shift.';
comment on column fin_segments.calendar is 'scheduled, break or off.';
comment on column fin_segments.good is 'Good units seen in it.';
comment on column fin_segments.scrap is 'Scrap units seen in it.';
comment on column fin_segments.rework is 'Passes seen in it that ended in rework.';
comment on column fin_segments.energy_kwh is 'Energy used in it, kWh.';
comment on column fin_segments.starts_local is 'First instant, on the clocks of the site.';
comment on column fin_segments.ends_local is 'End, exclusive, on the clocks of the site.';

comment on view fin_periods is 'Fiscal periods that were locked or closed. A day in none of them is provisional.';
comment on column fin_periods.site is 'Site.';
comment on column fin_periods.period is 'Name of the period.';
comment on column fin_periods.first_day is 'First production day.';
comment on column fin_periods.end_day is 'Day after the last.';
comment on column fin_periods.starts_at is 'First instant.';
comment on column fin_periods.ends_at is 'End, exclusive.';
comment on column fin_periods.status is 'locked or closed; provisional once it was unlocked.';
comment on column fin_periods.locked_at is 'When it was locked.';
comment on column fin_periods.closed_at is 'When it was closed.';
comment on column fin_periods.closed_local is 'When it was closed, on the clocks of the site.';

comment on view fin_adjustments is 'What came too late for a closed period, booked in the open one.';
comment on column fin_adjustments.site is 'Site.';
comment on column fin_adjustments.period is 'The closed period that it belongs to.';
comment on column fin_adjustments.booked_at is 'When it was found.';
comment on column fin_adjustments.day is 'Day of the open period in which it is booked.';
comment on column fin_adjustments.event_day is 'Production day on which it happened.';
comment on column fin_adjustments.line is 'Line.';
comment on column fin_adjustments.machine is 'Machine.';
comment on column fin_adjustments.product is 'Product.';
comment on column fin_adjustments.order_id is 'Order.';
comment on column fin_adjustments.resource is 'Resource.';
comment on column fin_adjustments.cause is 'Cause.';
comment on column fin_adjustments.amount is 'Recomputed - frozen - earlier adjustments.';
comment on column fin_adjustments.quantity is 'The same of the quantity.';
comment on column fin_adjustments.unit is 'Unit of quantity.';
comment on column fin_adjustments.booked_local is 'When it was found, on the clocks of the site.';

comment on view fin_trust is 'How much of the scheduled time is behind the figures, by machine and day.';
comment on column fin_trust.site is 'Site.';
comment on column fin_trust.line is 'Line.';
comment on column fin_trust.machine is 'Machine.';
comment on column fin_trust.event_day is 'Production day.';
comment on column fin_trust.trusted_hours is 'Scheduled hours with a trustworthy state.';
comment on column fin_trust.stop_hours is 'Of them down.';
comment on column fin_trust.reasoned_hours is 'Of the stops those with a reason.';

-- Who read them before goes on reading them.
do $$
declare
    reader name;
    shown name;
begin
    for reader in select rolname from finance_readers loop
        for shown in
            select viewname from pg_views where schemaname = current_schema() and viewname like 'fin\_%'
        loop
            execute format('grant select on %I to %I', shown, reader);
        end loop;
    end loop;
end;
$$;
