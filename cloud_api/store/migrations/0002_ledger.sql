-- The ledger in the grain of the interpretation: what a machine-hour was, made, used and cost.
--
-- Rows of a machine-hour are written and replaced together, never one by one. Spans are half-open
-- [starts_at, ends_at); lengths are whole microseconds; crew is people as booked.

-- Spans of constant state, product, order, reason, crew, shift and calendar status, cut at UTC hours,
-- production days and site midnights. product, order_id: of the time; made_product, made_order: of units and
-- material. material: [{item, quantity, assumed}], changeovers: [{from_product, count}], numbers as text.
create table segments (
    machine_id      int not null references machines,
    hour            timestamptz not null,
    starts_at       timestamptz not null,
    ends_at         timestamptz not null,
    production_day  date not null,
    effective       date not null,
    state           text collate "C" not null,
    product         text collate "C",
    order_id        text collate "C",
    made_product    text collate "C",
    made_order      text collate "C",
    reason          text collate "C",
    shift           text collate "C",
    calendar        text collate "C" not null,
    overtime        boolean not null,
    paid            boolean not null,
    crew            numeric not null,
    duration_us     bigint not null,
    crew_assumed_us bigint not null,
    uncertain_us    bigint not null,
    good            numeric not null,
    scrap           numeric not null,
    rework          numeric not null,
    energy_kwh      numeric not null,
    energy_assumed  boolean not null,
    material        jsonb not null,
    changeovers     jsonb not null,
    late_seen       boolean not null,
    primary key (machine_id, starts_at),
    check (starts_at < ends_at)
);
create index on segments (machine_id, hour);
create index on segments (starts_at);

-- Hourly sums of cost entries. Rows of resource 'other' are charges: they come from the plant model alone,
-- whole site by whole site, and machine_id is null where a charge names no machine.
create table entries (
    site             text collate "C" not null references sites,
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
    assumed          boolean not null
);
create index on entries (machine_id, hour);
create index on entries (site, production_day);
create index on entries (site, hour) where resource = 'other';

-- Sums of facts over everything that prices alike: what allowances, the cut anew at a later standard, KPIs
-- and confidence are computed from when asked. Columns as in segments.
create table outputs (
    site             text collate "C" not null references sites,
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
    calendar_version bigint not null
);
create index on outputs (machine_id, hour);
create index on outputs (site, production_day);

-- What a person should know of a machine-hour; no row where there is nothing.
-- missing: [{kind, subject, date}] of the plant model; findings: [{kind, subject, detail, first_us, count}].
create table hour_facts (
    machine_id int not null references machines,
    hour       timestamptz not null,
    missing    jsonb not null,
    findings   jsonb not null,
    primary key (machine_id, hour)
);

-- How far each machine was last interpreted: its watermark then.
create table computed (
    machine_id int primary key references machines,
    through    timestamptz not null,
    at         timestamptz not null default now()
);

-- The interpreter looks for the newest hours first.
create index on marks (hour);
