-- Periods that are locked or closed, and what came too late for them.
--
-- Rows of `entries` and `outputs` whose production day lies in a closed period are frozen: they are neither
-- removed nor added to any more. What a later computation says otherwise stands beside them as adjustments,
-- each with the period it belongs to and the hour and day of the open period in which it is booked.

-- Production days [first_day, end_day) of a period. plant_version: the plant model that a locked or closed
-- period keeps. locked_by, closed_by: who did it, as the audit
-- names them. frozen: what was known at the close (see docs/decisions).
alter table periods
    add column first_day     date,
    add column end_day       date,
    add column plant_version bigint references plant_versions,
    add column locked_by     text,
    add column closed_by     text,
    add constraint period_days check (first_day < end_day),
    add constraint period_frozen check (status <> 'closed'
        or (closed_at is not null and plant_version is not null and first_day is not null and end_day is not null));

-- Differences of entries: recomputed - frozen - earlier adjustments, in the grain of `entries`.
create table adjustments (
    adjustment_id    bigint generated always as identity primary key,
    site             text collate "C" not null references sites,
    period           text collate "C" not null,
    booked_at        timestamptz not null,
    booked_hour      timestamptz not null,
    booked_day       date not null,
    machine_id       int references machines,
    hour             timestamptz not null,
    production_day   date not null,
    product          text collate "C",
    order_id         text collate "C",
    shift            text collate "C",
    reason           text collate "C",
    cost_centre      text collate "C",
    resource         text collate "C" not null,
    cause            text collate "C" not null,
    item             text collate "C",
    amount           numeric not null,
    quantity         numeric,
    unit             text collate "C",
    rate             numeric,
    standard_version bigint,
    calendar_version bigint not null,
    assumed          boolean not null,
    foreign key (site, period) references periods
);
create index on adjustments (site, production_day);
create index on adjustments (site, booked_day);
create index on adjustments (machine_id, hour);

-- Differences of outputs likewise; lengths, units and quantities may be negative.
create table output_adjustments (
    adjustment_id    bigint generated always as identity primary key,
    site             text collate "C" not null references sites,
    period           text collate "C" not null,
    booked_at        timestamptz not null,
    booked_hour      timestamptz not null,
    booked_day       date not null,
    machine_id       int not null references machines,
    hour             timestamptz not null,
    production_day   date not null,
    effective        date not null,
    state            text collate "C" not null,
    product          text collate "C",
    order_id         text collate "C",
    made_product     text collate "C",
    made_order       text collate "C",
    reason           text collate "C",
    shift            text collate "C",
    calendar         text collate "C" not null,
    overtime         boolean not null,
    paid             boolean not null,
    crew             numeric not null,
    duration_us      bigint not null,
    crew_assumed_us  bigint not null,
    uncertain_us     bigint not null,
    good             numeric not null,
    scrap            numeric not null,
    rework           numeric not null,
    energy_kwh       numeric not null,
    energy_assumed   boolean not null,
    material         jsonb not null,
    changeovers      jsonb not null,
    late_seen        boolean not null,
    standard_version bigint,
    calendar_version bigint not null,
    foreign key (site, period) references periods
);
create index on output_adjustments (site, production_day);
create index on output_adjustments (site, booked_day);
create index on output_adjustments (machine_id, hour);

-- The ledger with its adjustments. Where basis is 'event' a question reads hour and production_day; where it
-- is 'posting', booked_hour and booked_day, which differ for adjustments only.
create view ledger_entries as
select site, machine_id, hour, production_day, hour as booked_hour, production_day as booked_day, product, order_id,
       shift, reason, cost_centre, resource, cause, item, amount, quantity, unit, rate, standard_version,
       calendar_version, assumed, null::text collate "C" as adjusts
from entries
union all
select site, machine_id, hour, production_day, booked_hour, booked_day, product, order_id,
       shift, reason, cost_centre, resource, cause, item, amount, quantity, unit, rate, standard_version,
       calendar_version, assumed, period
from adjustments;

create view ledger_days as
select site, machine_id, production_day, production_day as booked_day, product, resource, cause, unit, amount,
       quantity, entries
from entry_days
union all
select site, machine_id, production_day, booked_day, product, resource, cause, unit, amount, coalesce(quantity, 0), 1
from adjustments;

create view ledger_outputs as
select site, machine_id, hour, production_day, hour as booked_hour, production_day as booked_day, effective, state,
       product, order_id, made_product, made_order, reason, shift, calendar, overtime, paid, crew, duration_us,
       crew_assumed_us, uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material, changeovers,
       late_seen, standard_version, calendar_version, null::text collate "C" as adjusts
from outputs
union all
select site, machine_id, hour, production_day, booked_hour, booked_day, effective, state,
       product, order_id, made_product, made_order, reason, shift, calendar, overtime, paid, crew, duration_us,
       crew_assumed_us, uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material, changeovers,
       late_seen, standard_version, calendar_version, period
from output_adjustments;

-- Nobody removes or adds rows of a closed period, whatever their reason.
create function refuse_closed() returns trigger
language plpgsql as $$
begin
    if exists (
        select from changed c join periods p using (site)
        where p.status = 'closed' and c.production_day >= p.first_day and c.production_day < p.end_day
    ) then
        raise exception 'rows of a closed period are frozen: book an adjustment';
    end if;
    return null;
end
$$;

create trigger freeze_new after insert on entries referencing new table as changed
    for each statement execute function refuse_closed();
create trigger freeze_old after delete on entries referencing old table as changed
    for each statement execute function refuse_closed();
create trigger freeze_new after insert on outputs referencing new table as changed
    for each statement execute function refuse_closed();
create trigger freeze_old after delete on outputs referencing old table as changed
    for each statement execute function refuse_closed();

-- Adjustments are only ever added; a closed period is never opened again.
create function refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'rows of % are only ever added', tg_table_name;
end
$$;
create trigger refuse_change before update or delete on adjustments
    for each statement execute function refuse_change();
create trigger refuse_change before update or delete on output_adjustments
    for each statement execute function refuse_change();

create function refuse_reopening() returns trigger
language plpgsql as $$
begin
    raise exception 'the period % of % is closed for good', old.period, old.site;
end
$$;
create trigger refuse_reopening before update or delete on periods
    for each row when (old.status = 'closed') execute function refuse_reopening();

-- What waits for a second person where site.yaml says four_eyes: who asked for what, and who, another one, agreed.
create table approvals (
    approval_id  bigint generated always as identity primary key,
    site         text collate "C" not null references sites,
    action       text collate "C" not null,
    subject      text collate "C" not null,
    digest       bytea not null,
    detail       jsonb not null default '{}',
    asked_by     text not null,
    asked_at     timestamptz not null,
    approved_by  text,
    approved_at  timestamptz,
    withdrawn_at timestamptz,
    check (approved_by is null or approved_by <> asked_by)
);
create unique index on approvals (site, action, subject, digest) where approved_at is null and withdrawn_at is null;
