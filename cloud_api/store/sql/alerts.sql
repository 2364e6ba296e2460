-- name: hooks
-- Living hooks of sites.
select h.hook_id, h.site, h.url, h.kinds, h.quiet_from, h.quiet_to, h.digest, h.created_at
from alert_hooks h
where h.site = any (%(sites)s) and h.removed_at is null
order by h.hook_id;

-- name: add_hook
-- Keeps a hook.
insert into alert_hooks (site, url, secret, kinds, quiet_from, quiet_to, digest, key_id)
values (%(site)s, %(url)s, %(secret)s, %(kinds)s, %(quiet_from)s, %(quiet_to)s, %(digest)s, %(key_id)s)
returning hook_id, created_at;

-- name: remove_hook
-- Ends a hook of one of these sites.
update alert_hooks set removed_at = now()
where hook_id = %(hook_id)s and site = any (%(sites)s) and removed_at is null
returning site, url;

-- name: open_events
-- What is raised at sites and not over.
select event_id, site, kind, subject, detail, raised_at
from alert_events
where site = any (%(sites)s) and cleared_at is null and kind <> 'test'
order by raised_at desc, event_id desc;

-- name: deliveries
-- The last deliveries of hooks.
select d.delivery_id, d.hook_id, d.due_at, d.attempts, d.tried_at, d.delivered_at, d.gave_up_at, d.answer,
       (select array_agg(e.kind || ' ' || e.subject order by e.event_id)
        from alert_delivery_events x join alert_events e using (event_id) where x.delivery_id = d.delivery_id)
from alert_deliveries d
where d.hook_id = any (%(hooks)s)
order by d.delivery_id desc
limit %(limit)s;

-- name: raise
-- Raises an event, or the same again where it was over for less than an hour; no row where it stands already.
with same as (
    update alert_events set cleared_at = null, detail = %(detail)s
    where event_id = (
        select event_id from alert_events
        where site = %(site)s and kind = %(kind)s and subject = %(subject)s
          and cleared_at > %(now)s - interval '1 hour' and kind <> 'test'
        order by event_id desc limit 1
    ) and not exists (
        select from alert_events
        where site = %(site)s and kind = %(kind)s and subject = %(subject)s and cleared_at is null
    )
    returning event_id
)
insert into alert_events (site, kind, subject, detail, raised_at)
select %(site)s, %(kind)s, %(subject)s, %(detail)s, %(now)s
where not exists (select from same)
on conflict do nothing
returning event_id;

-- name: clear
-- What is raised at a site of these kinds and stands no more is over.
update alert_events set cleared_at = %(now)s
where site = %(site)s and kind = any (%(kinds)s) and cleared_at is null
  and (kind, subject) not in (select * from unnest(%(standing_kinds)s::text[], %(standing_subjects)s::text[]));

-- name: gathering
-- The delivery of a hook that still gathers events.
select delivery_id from alert_deliveries
where hook_id = %(hook_id)s and attempts = 0 and delivered_at is null and gave_up_at is null and due_at > %(now)s
order by delivery_id desc limit 1;

-- name: add_delivery
-- A delivery that is due at an instant.
insert into alert_deliveries (hook_id, due_at) values (%(hook_id)s, %(due_at)s) returning delivery_id;

-- name: add_event
-- An event into a delivery, once a hook.
insert into alert_delivery_events (hook_id, event_id, delivery_id)
values (%(hook_id)s, %(event_id)s, %(delivery_id)s);

-- name: delivery_of
-- The delivery in which an event goes to a hook.
select delivery_id from alert_delivery_events where hook_id = %(hook_id)s and event_id = %(event_id)s;

-- name: due
-- The next delivery that is due, kept from others until the transaction ends.
select d.delivery_id, d.attempts, d.due_at, h.hook_id, h.site, h.url, h.secret, h.quiet_from, h.quiet_to
from alert_deliveries d join alert_hooks h using (hook_id)
where d.delivered_at is null and d.gave_up_at is null and d.due_at <= %(now)s and h.removed_at is null
  and (%(delivery_id)s::bigint is null or d.delivery_id = %(delivery_id)s)
order by d.due_at
limit 1
for update of d skip locked;

-- name: events_of
-- The events of a delivery.
select e.event_id, e.kind, e.subject, e.detail, e.raised_at, e.cleared_at
from alert_delivery_events x join alert_events e using (event_id)
where x.delivery_id = %(delivery_id)s
order by e.event_id;

-- name: tried
-- What came of an attempt.
update alert_deliveries
set attempts = attempts + 1, tried_at = %(now)s, answer = %(answer)s, due_at = %(due_at)s,
    delivered_at = %(delivered_at)s, gave_up_at = %(gave_up_at)s
where delivery_id = %(delivery_id)s;

-- name: postpone
-- A delivery waits for the end of quiet hours.
update alert_deliveries set due_at = %(due_at)s where delivery_id = %(delivery_id)s;

-- name: claim
-- One process at a time looks for what is to be raised.
select pg_try_advisory_xact_lock(7283641);

-- name: zone
-- The time zone of a site, as its plant model says now.
select body ->> 'time_zone' from plant_rows
where site = %(site)s and kind = 'site' and ended_by is null
order by version desc, row_id desc limit 1;

-- name: hooks_of_key
-- Living hooks that a key kept.
select hook_id from alert_hooks where key_id = %(key_id)s and removed_at is null order by hook_id;

-- name: hold
-- What else is due for a hook whose receiver took nothing waits; it is no attempt. Rows that are on their way stay.
update alert_deliveries set due_at = %(due_at)s
where delivery_id in (
    select delivery_id from alert_deliveries
    where hook_id = %(hook_id)s and delivery_id <> %(delivery_id)s and delivered_at is null and gave_up_at is null
      and due_at < %(due_at)s
    for update skip locked
);
