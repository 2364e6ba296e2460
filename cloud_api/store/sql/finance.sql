-- name: views
-- Finance's views, by name.
select viewname from pg_views where schemaname = 'public' and viewname like 'fin\_%' order by viewname;

-- name: reader
-- A role that was made as a reader: whether it has a schema of its own to build in.
select 'default_transaction_read_only=off' = any (rolconfig)
from pg_roles
where rolname = %(name)s and not rolsuper and rolcanlogin
    and rolconfig && array['default_transaction_read_only=on', 'default_transaction_read_only=off'];

-- name: columns
-- What each view and column means, in order.
select c.relname, coalesce(obj_description(c.oid, 'pg_class'), ''), a.attname, format_type(a.atttypid, a.atttypmod),
       coalesce(col_description(c.oid, a.attnum), '')
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace and c.relname like 'fin\_%' and a.attnum > 0
order by c.relname, a.attnum;
