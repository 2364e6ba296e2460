-- Sums of entries by production day tell orders apart: what is asked by order need not read those of shift and reason.

alter table entry_days add column order_id text collate "C";
alter table entry_days drop constraint entry_days_site_production_day_machine_id_product_resource__key;
truncate entry_days;
insert into entry_days
    (site, machine_id, production_day, product, order_id, resource, cause, unit, amount, quantity, entries)
select site, machine_id, production_day, product, order_id, resource, cause, unit,
       sum(amount), sum(quantity), sum(entries)
from entry_parts
where entries <> 0
group by site, machine_id, production_day, product, order_id, resource, cause, unit
order by site, production_day, machine_id, product, order_id, resource, cause, unit;
alter table entry_days add constraint entry_days_key unique nulls not distinct
    (site, production_day, machine_id, product, order_id, resource, cause, unit);
analyze entry_days;

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
        (site, machine_id, production_day, product, order_id, resource, cause, unit, amount, quantity, entries)
    select site, machine_id, production_day, product, order_id, resource, cause, unit,
           sum(amount), sum(quantity), sum(entries)
    from parts
    group by site, machine_id, production_day, product, order_id, resource, cause, unit
    order by site, production_day, machine_id, product, order_id, resource, cause, unit
    on conflict (site, production_day, machine_id, product, order_id, resource, cause, unit) do update
    set amount = d.amount + excluded.amount,
        quantity = d.quantity + excluded.quantity,
        entries = d.entries + excluded.entries;
    return null;
end
$$;

create or replace view ledger_days as
select site, machine_id, production_day, production_day as booked_day, product, resource, cause, unit, amount,
       quantity, entries, order_id
from entry_days
union all
select site, machine_id, production_day, booked_day, product, resource, cause, unit, amount, coalesce(quantity, 0), 1,
       order_id
from adjustments;
