-- Sums by production day, kept by the database itself whenever entries or outputs are written or removed.
-- A year of a plant is read from these; what they cannot tell is read from the hourly rows, to the same cent:
-- sums of numeric are exact in any order.

-- entries: number of ledger rows in the sum; a row whose number is 0 says nothing any more.
create table entry_days (
    site           text collate "C" not null,
    machine_id     int,
    production_day date not null,
    product        text collate "C",
    resource       text collate "C" not null,
    cause          text collate "C" not null,
    unit           text collate "C",
    amount         numeric not null,
    quantity       numeric not null,
    entries        bigint not null,
    unique nulls not distinct (site, production_day, machine_id, product, resource, cause, unit)
) with (fillfactor = 80);

-- Time that confidence is made of, in scheduled time of a machine; whole microseconds.
create table trust_days (
    site           text collate "C" not null,
    machine_id     int not null,
    production_day date not null,
    trusted_us     bigint not null,
    stop_us        bigint not null,
    reasoned_us    bigint not null,
    unique (site, production_day, machine_id)
) with (fillfactor = 80);

create function add_entry_days() returns trigger
language plpgsql as $$
declare
    sign constant int := case when tg_op = 'INSERT' then 1 else -1 end;
begin
    insert into entry_days as d
        (site, machine_id, production_day, product, resource, cause, unit, amount, quantity, entries)
    select site, machine_id, production_day, product, resource, cause, unit,
           sign * sum(amount), sign * coalesce(sum(quantity), 0), sign * count(*)
    from changed
    group by site, machine_id, production_day, product, resource, cause, unit
    order by site, production_day, machine_id, product, resource, cause, unit
    on conflict (site, production_day, machine_id, product, resource, cause, unit) do update
    set amount = d.amount + excluded.amount,
        quantity = d.quantity + excluded.quantity,
        entries = d.entries + excluded.entries;
    return null;
end
$$;

create function add_trust_days() returns trigger
language plpgsql as $$
declare
    sign constant int := case when tg_op = 'INSERT' then 1 else -1 end;
begin
    insert into trust_days as d (site, machine_id, production_day, trusted_us, stop_us, reasoned_us)
    select site, machine_id, production_day,
           sign * coalesce(sum(duration_us) filter (where state <> 'unknown'), 0),
           sign * coalesce(sum(duration_us) filter (where state = 'down'), 0),
           sign * coalesce(sum(duration_us) filter (where state = 'down' and reason is not null), 0)
    from changed
    where calendar = 'scheduled'
    group by site, machine_id, production_day
    order by site, production_day, machine_id
    on conflict (site, production_day, machine_id) do update
    set trusted_us = d.trusted_us + excluded.trusted_us,
        stop_us = d.stop_us + excluded.stop_us,
        reasoned_us = d.reasoned_us + excluded.reasoned_us;
    return null;
end
$$;

-- The ledger replaces rows and never updates one; an update would leave the sums behind.
create function refuse_update() returns trigger
language plpgsql as $$
begin
    raise exception 'rows of % are replaced, never updated', tg_table_name;
end
$$;

create trigger add_days after insert on entries referencing new table as changed
    for each statement execute function add_entry_days();
create trigger take_days after delete on entries referencing old table as changed
    for each statement execute function add_entry_days();
create trigger refuse_update before update on entries for each statement execute function refuse_update();

create trigger add_days after insert on outputs referencing new table as changed
    for each statement execute function add_trust_days();
create trigger take_days after delete on outputs referencing old table as changed
    for each statement execute function add_trust_days();
create trigger refuse_update before update on outputs for each statement execute function refuse_update();

insert into entry_days (site, machine_id, production_day, product, resource, cause, unit, amount, quantity, entries)
select site, machine_id, production_day, product, resource, cause, unit, sum(amount), coalesce(sum(quantity), 0), count(*)
from entries
group by site, machine_id, production_day, product, resource, cause, unit;

insert into trust_days (site, machine_id, production_day, trusted_us, stop_us, reasoned_us)
select site, machine_id, production_day,
       coalesce(sum(duration_us) filter (where state <> 'unknown'), 0),
       coalesce(sum(duration_us) filter (where state = 'down'), 0),
       coalesce(sum(duration_us) filter (where state = 'down' and reason is not null), 0)
from outputs
where calendar = 'scheduled'
group by site, machine_id, production_day;
