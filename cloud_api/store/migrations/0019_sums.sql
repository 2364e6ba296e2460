-- More sums by production day, kept by the database itself as those of 0003 are: what machines made, and entries with
-- order, shift and reason. A year of a plant is read from these, whatever it is asked by.

-- outputs: number of rows in the sum; a row whose number is 0 says nothing any more. effective: the site date whose
-- standards apply. run_us: running; present_us: trusted, and scheduled or at work; slack_us: scheduled, waiting or
-- idle; crew_us: people x time that costs; all in microseconds.
create table output_days (
    site           text collate "C" not null,
    machine_id     int not null,
    production_day date not null,
    effective      date not null,
    product        text collate "C",
    order_id       text collate "C",
    made_product   text collate "C",
    made_order     text collate "C",
    shift          text collate "C",
    good           numeric not null,
    scrap          numeric not null,
    rework         numeric not null,
    run_us         bigint not null,
    present_us     bigint not null,
    slack_us       bigint not null,
    crew_us        numeric not null,
    outputs        bigint not null,
    unique nulls not distinct (site, production_day, machine_id, effective, shift, product, order_id, made_product,
                               made_order)
) with (fillfactor = 80);

-- size: sum of the amounts whatever their signs.
create table entry_parts (
    site           text collate "C" not null,
    machine_id     int,
    production_day date not null,
    product        text collate "C",
    order_id       text collate "C",
    shift          text collate "C",
    reason         text collate "C",
    resource       text collate "C" not null,
    cause          text collate "C" not null,
    unit           text collate "C",
    amount         numeric not null,
    quantity       numeric not null,
    size           numeric not null,
    entries        bigint not null,
    unique nulls not distinct (site, production_day, machine_id, product, order_id, shift, reason, resource, cause, unit)
) with (fillfactor = 80);

-- Both sums of entries from one pass over the rows.
create or replace function add_entry_days() returns trigger
language plpgsql as $$
declare
    sign constant int := case when tg_op = 'INSERT' then 1 else -1 end;
begin
    with parts as materialized (
        select site, machine_id, production_day, product, order_id, shift, reason, resource, cause, unit,
               sign * sum(amount) as amount, sign * coalesce(sum(quantity), 0) as quantity,
               sign * sum(abs(amount)) as size, sign * count(*) as entries
        from changed
        group by site, machine_id, production_day, product, order_id, shift, reason, resource, cause, unit
        order by site, production_day, machine_id, product, order_id, shift, reason, resource, cause, unit
    ), added as (
        insert into entry_parts as p
            (site, machine_id, production_day, product, order_id, shift, reason, resource, cause, unit, amount,
             quantity, size, entries)
        select * from parts
        on conflict (site, production_day, machine_id, product, order_id, shift, reason, resource, cause, unit)
        do update
        set amount = p.amount + excluded.amount,
            quantity = p.quantity + excluded.quantity,
            size = p.size + excluded.size,
            entries = p.entries + excluded.entries
    )
    insert into entry_days as d
        (site, machine_id, production_day, product, resource, cause, unit, amount, quantity, entries)
    select site, machine_id, production_day, product, resource, cause, unit,
           sum(amount), sum(quantity), sum(entries)
    from parts
    group by site, machine_id, production_day, product, resource, cause, unit
    order by site, production_day, machine_id, product, resource, cause, unit
    on conflict (site, production_day, machine_id, product, resource, cause, unit) do update
    set amount = d.amount + excluded.amount,
        quantity = d.quantity + excluded.quantity,
        entries = d.entries + excluded.entries;
    return null;
end
$$;

create function add_output_days() returns trigger
language plpgsql as $$
declare
    sign constant int := case when tg_op = 'INSERT' then 1 else -1 end;
begin
    insert into output_days as d
        (site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift, good, scrap,
         rework, run_us, present_us, slack_us, crew_us, outputs)
    select site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift,
           sign * sum(good), sign * sum(scrap), sign * sum(rework),
           sign * coalesce(sum(duration_us) filter (where state = 'running'), 0),
           sign * coalesce(sum(duration_us) filter (where state <> 'unknown'
               and (calendar = 'scheduled' or state in ('running', 'changeover'))), 0),
           sign * coalesce(sum(duration_us) filter (where state in ('waiting', 'idle')
               and calendar = 'scheduled'), 0),
           sign * coalesce(sum(crew * duration_us) filter (where calendar = 'scheduled' or paid
               or state in ('running', 'changeover')), 0),
           sign * count(*)
    from changed
    group by site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift
    order by site, production_day, machine_id, effective, shift, product, order_id, made_product, made_order
    on conflict (site, production_day, machine_id, effective, shift, product, order_id, made_product, made_order)
    do update
    set good = d.good + excluded.good,
        scrap = d.scrap + excluded.scrap,
        rework = d.rework + excluded.rework,
        run_us = d.run_us + excluded.run_us,
        present_us = d.present_us + excluded.present_us,
        slack_us = d.slack_us + excluded.slack_us,
        crew_us = d.crew_us + excluded.crew_us,
        outputs = d.outputs + excluded.outputs;
    return null;
end
$$;
create trigger add_output_days after insert on outputs referencing new table as changed
    for each statement execute function add_output_days();
create trigger take_output_days after delete on outputs referencing old table as changed
    for each statement execute function add_output_days();

insert into entry_parts
select site, machine_id, production_day, product, order_id, shift, reason, resource, cause, unit, sum(amount),
       coalesce(sum(quantity), 0), sum(abs(amount)), count(*)
from entries
group by site, machine_id, production_day, product, order_id, shift, reason, resource, cause, unit;

insert into output_days
select site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift, sum(good),
       sum(scrap), sum(rework), coalesce(sum(duration_us) filter (where state = 'running'), 0),
       coalesce(sum(duration_us) filter (where state <> 'unknown'
           and (calendar = 'scheduled' or state in ('running', 'changeover'))), 0),
       coalesce(sum(duration_us) filter (where state in ('waiting', 'idle') and calendar = 'scheduled'), 0),
       coalesce(sum(crew * duration_us) filter (where calendar = 'scheduled' or paid
           or state in ('running', 'changeover')), 0),
       count(*)
from outputs
group by site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift;

-- The sums with the adjustments of closed periods, as ledger_days has them.
create view ledger_parts as
select site, machine_id, production_day, production_day as booked_day, product, order_id, shift, reason, resource,
       cause, unit, amount, quantity, entries
from entry_parts
union all
select site, machine_id, production_day, booked_day, product, order_id, shift, reason, resource, cause, unit, amount,
       coalesce(quantity, 0), 1
from adjustments;

create view late_made as
select site, machine_id, production_day, booked_day, effective, product, order_id, made_product, made_order, shift,
       good, scrap, rework,
       case when state = 'running' then duration_us else 0 end as run_us,
       case when state <> 'unknown' and (calendar = 'scheduled' or state in ('running', 'changeover'))
           then duration_us else 0 end as present_us,
       case when state in ('waiting', 'idle') and calendar = 'scheduled' then duration_us else 0 end as slack_us,
       case when calendar = 'scheduled' or paid or state in ('running', 'changeover')
           then crew * duration_us else 0 end as crew_us,
       1 as outputs
from output_adjustments;

create view ledger_made as
select site, machine_id, production_day, production_day as booked_day, effective, product, order_id, made_product,
       made_order, shift, good, scrap, rework, run_us, present_us, slack_us, crew_us, outputs
from output_days
union all
select site, machine_id, production_day, booked_day, effective, product, order_id, made_product, made_order, shift,
       good, scrap, rework, run_us, present_us, slack_us, crew_us, outputs
from late_made;

-- Changeovers are few; a year of them is found at once.
create index on outputs (site, production_day) where changeovers <> '[]';
