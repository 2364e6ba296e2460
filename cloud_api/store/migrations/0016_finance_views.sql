-- What Power BI, Excel and dbt read: views that begin with fin_, each column explained by a comment.
--
-- Amounts are in the site's currency and exact; sums over them equal the API's. A positive variance is
-- unfavourable. `day` is the day on which a row is booked (the API's basis=posting): adjustments of a closed
-- period stand in the open one; `event_day` is the production day on which it happened.

-- What the standard then known allows, by facts that price alike. An amount is good x per_good + scrap x
-- per_scrap; booked_machine_id is the machine at which it counts (another one for stock between machines).
create table allowances (
    machine_id        int not null references machines,
    product           text collate "C" not null,
    shift             text collate "C",
    effective         date not null,
    booked_machine_id int not null references machines,
    resource          text collate "C" not null,
    cause             text collate "C" not null,
    per_good          numeric not null,
    per_scrap         numeric not null,
    unique nulls not distinct (machine_id, effective, product, shift, booked_machine_id, resource, cause)
);

create view fin_machines as
select site, line, machine, cost_centre, place
from machines;

create view fin_costs as
select e.site, m.line, m.machine, e.booked_day as day, e.production_day as event_day, e.product, e.order_id, e.shift,
       e.reason, e.cost_centre, e.resource, e.cause, e.item, sum(e.amount) as amount, sum(e.quantity) as quantity,
       e.unit, bool_or(e.assumed) as assumed, e.adjusts
from ledger_entries e left join machines m using (machine_id)
group by e.site, m.line, m.machine, e.booked_day, e.production_day, e.product, e.order_id, e.shift, e.reason,
         e.cost_centre, e.resource, e.cause, e.item, e.unit, e.adjusts;

create view fin_output as
select o.site, m.line, m.machine, o.booked_day as day, o.production_day as event_day, o.made_product as product,
       o.made_order as order_id, o.shift, sum(o.good) as good, sum(o.scrap) as scrap, sum(o.rework) as rework,
       sum(o.energy_kwh) as energy_kwh, o.adjusts
from ledger_outputs o join machines m using (machine_id)
group by o.site, m.line, m.machine, o.booked_day, o.production_day, o.made_product, o.made_order, o.shift, o.adjusts;

create view fin_time as
select o.site, m.line, m.machine, o.booked_day as day, o.production_day as event_day, o.product, o.order_id, o.shift,
       o.calendar, o.state, o.reason, sum(o.duration_us) / 3600000000.0 as hours, o.adjusts
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
       sum(c.actual) as actual, sum(c.allowance) as allowance, sum(c.actual) - sum(c.allowance) as variance
from cells c left join machines m using (machine_id)
group by c.site, m.line, m.machine, c.day, c.product, c.order_id, c.shift, c.resource, c.cause;

create view fin_segments as
select m.site, m.line, m.machine, s.starts_at, s.ends_at, s.production_day as event_day, s.state, s.product, s.order_id,
       s.reason, s.crew, s.shift, s.calendar, s.good, s.scrap, s.rework, s.energy_kwh
from segments s join machines m using (machine_id);

create view fin_periods as
select site, period, first_day, end_day, starts_at, ends_at, status, locked_at, closed_at
from periods;

create view fin_adjustments as
select a.site, a.period, a.booked_at, a.booked_day as day, a.production_day as event_day, m.line, m.machine, a.product,
       a.order_id, a.resource, a.cause, a.amount, a.quantity, a.unit
from adjustments a left join machines m using (machine_id);

create view fin_trust as
select t.site, m.line, m.machine, t.production_day as event_day, t.trusted_us / 3600000000.0 as trusted_hours,
       t.stop_us / 3600000000.0 as stop_hours, t.reasoned_us / 3600000000.0 as reasoned_hours
from trust_days t join machines m using (machine_id);

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
comment on column fin_costs.amount is 'In the currency of the site, not rounded.';
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
comment on column fin_variances.actual is 'Actual cost.';
comment on column fin_variances.allowance is 'What the standard then known allows for the good units made.';
comment on column fin_variances.variance is 'actual - allowance.';

comment on view fin_segments is 'The evidence: spans of constant state, product, order, reason, crew and shift, cut at UTC hours.';
comment on column fin_segments.site is 'Site.';
comment on column fin_segments.line is 'Line.';
comment on column fin_segments.machine is 'Machine.';
comment on column fin_segments.starts_at is 'First instant.';
comment on column fin_segments.ends_at is 'End, exclusive.';
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

comment on view fin_periods is 'Fiscal periods and whether they are final.';
comment on column fin_periods.site is 'Site.';
comment on column fin_periods.period is 'Name of the period.';
comment on column fin_periods.first_day is 'First production day, of a locked or closed period.';
comment on column fin_periods.end_day is 'Day after the last, of a locked or closed period.';
comment on column fin_periods.starts_at is 'First instant.';
comment on column fin_periods.ends_at is 'End, exclusive.';
comment on column fin_periods.status is 'provisional, locked or closed.';
comment on column fin_periods.locked_at is 'When it was locked.';
comment on column fin_periods.closed_at is 'When it was closed.';

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

comment on view fin_trust is 'How much of the scheduled time is behind the figures, by machine and day.';
comment on column fin_trust.site is 'Site.';
comment on column fin_trust.line is 'Line.';
comment on column fin_trust.machine is 'Machine.';
comment on column fin_trust.event_day is 'Production day.';
comment on column fin_trust.trusted_hours is 'Scheduled hours with a trustworthy state.';
comment on column fin_trust.stop_hours is 'Of them down.';
comment on column fin_trust.reasoned_hours is 'Of the stops those with a reason.';
