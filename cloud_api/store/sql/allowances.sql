-- name: clear
-- Forgets what facts of one kind are allowed.
delete from allowances
where machine_id = %(machine_id)s and effective = %(effective)s and product = %(product)s
  and shift is not distinct from %(shift)s;

-- name: add
-- One cell that facts of one kind are allowed; machines by name.
insert into allowances
    (machine_id, product, shift, effective, booked_machine_id, resource, cause, per_good, per_scrap)
select %(machine_id)s, %(product)s, %(shift)s, %(effective)s, m.machine_id, %(resource)s, %(cause)s, %(per_good)s,
       %(per_scrap)s
from machines m
where m.site = %(site)s and m.machine = %(booked_machine)s
on conflict do nothing;
