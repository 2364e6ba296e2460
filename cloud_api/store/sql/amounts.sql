-- name: many_groups
-- Before sums of many groups: the planner thinks them more than they are, and would leave them to one core.
select set_config('parallel_tuple_cost', '0.01', true);

-- name: by_day
-- Amounts of one site from the sums by production day, grouped by those columns whose flag is set. heads: the machine
-- that stands for each in its group, by number from 1. Per group: the columns, the amount of the days [first_day,
-- end_day), and that of the days beside them. apart: causes whose resources are told, null for all. Filters as those of
-- answers.costs.
select case when %(by_machine)s then (%(heads)s::int[])[machine_id] end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       null::text,
       case when %(by_resource)s and (%(apart)s::text[] is null or cause = any(%(apart)s)) then resource end,
       case when %(by_cause)s then cause end,
       null::text,
       -- use: amounts_of_windows
from ledger_days
where site = %(site)s and entries <> 0
  and (machine_id = any(%(machines)s::int[]) or (%(charges)s and machine_id is null))
  -- use: windows
  and (%(product)s::text[] is null or product = any(%(product)s) or (%(none_product)s and product is null))
  and (%(order)s::text[] is null or order_id = any(%(order)s) or (%(none_order)s and order_id is null))
  -- use: cells
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 5, 6;

-- name: by_part
-- As by_day, from the sums with shift and reason.
select case when %(by_machine)s then (%(heads)s::int[])[machine_id] end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       case when %(by_shift)s then shift end,
       case when %(by_resource)s and (%(apart)s::text[] is null or cause = any(%(apart)s)) then resource end,
       case when %(by_cause)s then cause end,
       case when %(by_reason)s then reason end,
       -- use: amounts_of_windows
from ledger_parts
where site = %(site)s and entries <> 0
  and (machine_id = any(%(machines)s::int[]) or (%(charges)s and machine_id is null))
  -- use: windows
  -- use: words
  -- use: cells
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6, 7;
