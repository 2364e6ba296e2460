-- Webhooks: who wants to be told of what, what was raised, and what was sent.

-- quiet_from, quiet_to: wall clock of the site; nothing is sent between them. digest: none, hour or day.
create table alert_hooks (
    hook_id    int generated always as identity primary key,
    site       text collate "C" not null references sites,
    url        text not null,
    secret     text not null,
    kinds      text[] collate "C" not null,
    quiet_from time,
    quiet_to   time,
    digest     text not null check (digest in ('none', 'hour', 'day')),
    key_id     int references keys,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);

-- A condition is raised once and stays raised until it is over; one that is back within the hour is the same.
create table alert_events (
    event_id   bigint generated always as identity primary key,
    site       text collate "C" not null references sites,
    kind       text collate "C" not null,
    subject    text collate "C" not null,
    detail     jsonb not null,
    raised_at  timestamptz not null,
    cleared_at timestamptz
);
create unique index on alert_events (site, kind, subject) where cleared_at is null;

create table alert_deliveries (
    delivery_id  bigint generated always as identity primary key,
    hook_id      int not null references alert_hooks,
    due_at       timestamptz not null,
    attempts     int not null default 0,
    tried_at     timestamptz,
    delivered_at timestamptz,
    gave_up_at   timestamptz,
    answer       text
);
create index on alert_deliveries (due_at) where delivered_at is null and gave_up_at is null;

-- An event goes to a hook in one delivery, and never in a second.
create table alert_delivery_events (
    hook_id     int not null references alert_hooks,
    event_id    bigint not null references alert_events,
    delivery_id bigint not null references alert_deliveries,
    primary key (hook_id, event_id)
);
create index on alert_delivery_events (delivery_id);
