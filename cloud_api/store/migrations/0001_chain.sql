-- The whole chain: who sends, what came, what is still to be computed, what it cost, who may see it.
--
-- Times are timestamptz (UTC inside), spans half-open [starts_at, ends_at) unless a range says otherwise.
-- Quantities and money are numeric and exact; the currency is that of the site.
-- Text that is compared, grouped or sorted is collated by code point.

-- Places ---------------------------------------------------------------------------------------

create table sites (
    site       text collate "C" primary key,
    created_at timestamptz not null default now()
);

-- line, place (order in site.yaml) and cost_centre come with the plant model; ingest and backfill
-- create the row for a machine that they see first.
create table machines (
    machine_id  int generated always as identity primary key,
    site        text collate "C" not null references sites,
    machine     text collate "C" not null,
    line        text collate "C",
    place       int,
    cost_centre text collate "C",
    unique (site, machine)
);

-- First sample and watermark of each machine's time line. One row a machine, raised by ingest and
-- backfill in the transaction of the samples, rows taken in the order of machine_id.
create table machine_spans (
    machine_id   int primary key references machines,
    first_sample timestamptz,
    last_sample  timestamptz,
    last_mark    timestamptz
);

-- Who sends ------------------------------------------------------------------------------------

create table agents (
    agent_id               int generated always as identity primary key,
    site                   text collate "C" not null references sites,
    agent                  text collate "C" not null,
    holder_instance        bytea,
    holder_start           bytea,
    conflict_since         timestamptz,
    conflict               boolean not null generated always as (conflict_since is not null) stored,
    version                text not null default '',
    config_hash            text not null default '',
    certificate_expires_at timestamptz,
    online                 boolean not null default false,
    heard_at               timestamptz,
    status                 jsonb,
    status_at              timestamptz,
    unique (site, agent)
);

-- Each start (one run of one installation) that was heard, as cloud_api.ingest.sequence.Heard has it.
create table agent_starts (
    agent_id  int not null references agents,
    instance  bytea not null,
    start     bytea not null,
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    connected bigint not null default 0,
    counter   bigint not null default 0,
    ended     boolean not null default false,
    dropped   boolean not null default false,
    lost      boolean not null default false,
    primary key (agent_id, instance, start)
);

-- received: seqs that are stored, set aside or replaced by a gap record. announced: seqs that the
-- agent's hello says its disk holds. The row is locked for the transaction of the samples.
create table streams (
    stream_id   bigint generated always as identity primary key,
    agent_id    int not null references agents,
    stream      bytea not null check (length(stream) = 16),
    instance    bytea not null,
    received    int8multirange not null default '{}',
    announced   int8multirange not null default '{}',
    first_at    timestamptz not null default now(),
    last_at     timestamptz not null default now(),
    unique (agent_id, stream)
);

create table dictionaries (
    dictionary bytea primary key,
    packed     bytea not null,
    received_at timestamptz not null default now()
);

create table sources (
    source_id int generated always as identity primary key,
    agent_id  int not null references agents,
    source    text collate "C" not null,
    kind      text not null default '',
    unique (agent_id, source)
);

-- One description of one signal: a change of what is declared of it makes a new row. source_id is null
-- for signals that come from history files. declared: fall, rollover, width, signed, scale, offset, raw,
-- map, as in shared.dictionary.SignalEntry.
create table series (
    series_id  int generated always as identity primary key,
    machine_id int not null references machines,
    source_id  int references sources,
    signal     text collate "C" not null,
    role       text collate "C" not null,
    item       text collate "C",
    unit       text collate "C",
    declared   jsonb not null default '{}',
    unique nulls not distinct (machine_id, source_id, signal, role, item, unit, declared)
);
create index on series (source_id);

-- What came ------------------------------------------------------------------------------------

-- samples: quality 0 good, 1 uncertain, 2 bad; origin 0 live agent, 1 history file.
-- text and number are both null where nothing can be said (bad) or there is none (good).
do $$
declare
    columns constant text := $columns$
        time        timestamptz not null,
        series_id   int not null,
        value       float8,
        text        text collate "C",
        raw         float8,
        raw_text    text collate "C",
        source_time timestamptz,
        quality     smallint not null,
        origin      smallint not null,
        received_at timestamptz not null
    $columns$;
    has_timescale boolean := coalesce(current_setting('shared_preload_libraries', true), '') like '%timescaledb%';
begin
    create table layout (samples text not null check (samples in ('hypertable', 'partitions')), chunk interval not null);
    if has_timescale then
        begin
            create extension if not exists timescaledb;
        exception when insufficient_privilege then
            has_timescale := exists (select from pg_extension where extname = 'timescaledb');
        end;
    end if;
    if has_timescale then
        insert into layout values ('hypertable', '7 days');
        execute 'create table samples (' || columns || ')';
        perform create_hypertable('samples', 'time', chunk_time_interval => interval '7 days',
                                  create_default_indexes => false);
    else
        insert into layout values ('partitions', '7 days');
        execute 'create table samples (' || columns || ') partition by range (time)';
    end if;
    create index samples_series_time on samples (series_id, time);
    -- Columnstore: only where the server holds the Timescale edition.
    if has_timescale and current_setting('timescaledb.license', true) = 'timescale' then
        execute 'alter table samples set (timescaledb.compress, timescaledb.compress_segmentby = ''series_id'', '
                'timescaledb.compress_orderby = ''time'')';
        execute 'select add_compression_policy(''samples'', interval ''30 days'')';
    end if;
end
$$;

-- Makes sure that plain PostgreSQL has the week partitions for all the given times. Call it outside the
-- transaction that writes: a new partition is filled in nowhere else, and attaching it takes a lock that
-- lets readers and writers of the other partitions go on. On a hypertable it does nothing.
create function ensure_sample_partitions(times timestamptz[]) returns int
language plpgsql as $$
declare
    week timestamp;
    name text;
    made int := 0;
begin
    if exists (select from layout where samples = 'hypertable') then
        return 0;
    end if;
    for week in
        select distinct date_trunc('week', t at time zone 'UTC') from unnest(times) t order by 1
    loop
        name := 'samples_' || to_char(week, 'YYYYMMDD');
        continue when to_regclass(name) is not null;
        perform pg_advisory_xact_lock(hashtext('plantledger samples partitions'));
        -- A query sees what another maker committed while we waited; to_regclass might still not.
        continue when exists (select from pg_class where oid = any (select inhrelid from pg_inherits
                                                                    where inhparent = 'samples'::regclass)
                                                     and relname = name);
        execute format('create table %I (like samples including defaults including constraints, '
                       'check (time >= %L and time < %L))',
                       name, week at time zone 'UTC', (week + interval '7 days') at time zone 'UTC');
        execute format('create index on %I (series_id, time)', name);
        execute format('alter table samples attach partition %I for values from (%L) to (%L)',
                       name, week at time zone 'UTC', (week + interval '7 days') at time zone 'UTC');
        made := made + 1;
    end loop;
    return made;
end
$$;

-- Where a source was scanned well: closed spans, cut at UTC hours, united.
create table coverage (
    source_id int not null references sources,
    hour      timestamptz not null,
    spans     tstzmultirange not null,
    primary key (source_id, hour)
);

-- gap: data that is gone for good. pending: a backlog that is on its way until resolved_at.
-- series: empty means every signal of the agent. seqs: what the record replaces in stream.
create table losses (
    loss_id     bigint generated always as identity primary key,
    agent_id    int not null references agents,
    kind        text not null check (kind in ('gap', 'pending')),
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    reason      text not null,
    series      int[] not null default '{}',
    samples     bigint not null default 0,
    stream      bytea,
    seqs        int8range,
    told_stream bytea not null,
    told_seq    bigint not null,
    received_at timestamptz not null default now(),
    resolved_at timestamptz
);
create index on losses (agent_id, starts_at);

-- Messages that could not be used, or may not be used yet (reason 'conflict'), with their bytes.
create table set_aside (
    set_aside_id bigint generated always as identity primary key,
    site         text collate "C" not null,
    agent        text collate "C" not null,
    kind         text not null,
    reason       text not null,
    detail       text not null,
    digest       bytea not null,
    message      bytea not null,
    stream       bytea,
    seq          bigint,
    instance     bytea,
    start        bytea,
    times        int not null default 1,
    received_at  timestamptz not null default now(),
    last_at      timestamptz not null default now(),
    resolved_at  timestamptz,
    resolution   text,
    unique (site, agent, kind, digest)
);
create index on set_aside (site, agent, start) where resolved_at is null;

-- Rows that came in behind the watermark of their machine.
create table late_arrivals (
    machine_id int not null references machines,
    hour       timestamptz not null,
    late_rows  bigint not null,
    primary key (machine_id, hour)
);

-- What is still to be computed -----------------------------------------------------------------

-- A machine-hour whose figures no longer follow from what is stored. Appended, never updated; whoever
-- recomputes deletes only the ids that it read.
create table marks (
    mark_id    bigint generated always as identity primary key,
    machine_id int not null,
    hour       timestamptz not null,
    marked_at  timestamptz not null default now()
);
create index on marks (machine_id, hour);

-- What the interpreter knew at the start of a machine-hour.
create table carry (
    machine_id int not null references machines,
    hour       timestamptz not null,
    state      jsonb not null,
    primary key (machine_id, hour)
);

-- Plant model ----------------------------------------------------------------------------------

-- One load (or PUT) of a site's plant model; the number is the version that entries name.
create table plant_versions (
    version     bigint generated always as identity primary key,
    site        text collate "C" not null references sites,
    recorded_at timestamptz not null default now(),
    correction  boolean not null default false,
    digest      bytea not null,
    author      text not null default ''
);
create index on plant_versions (site, version);

-- Rows of the plant model, bitemporal: effective from a date at the site, recorded by a version.
-- kind: standard, bill, price, wage, rate, tariff, ... key: what identifies the row within its kind.
create table plant_rows (
    row_id      bigint generated always as identity primary key,
    site        text collate "C" not null references sites,
    kind        text collate "C" not null,
    key         text[] collate "C" not null,
    effective   date,
    version     bigint not null references plant_versions,
    recorded_at timestamptz not null,
    body        jsonb not null,
    ended_by    bigint references plant_versions
);
create index on plant_rows (site, kind, effective);

create table periods (
    site      text collate "C" not null references sites,
    period    text collate "C" not null,
    starts_at timestamptz not null,
    ends_at   timestamptz not null,
    status    text not null default 'provisional' check (status in ('provisional', 'locked', 'closed')),
    locked_at timestamptz,
    closed_at timestamptz,
    frozen    jsonb,
    primary key (site, period),
    check (starts_at < ends_at)
);

-- People ---------------------------------------------------------------------------------------

create table notes (
    note_id         bigint generated always as identity primary key,
    site            text collate "C" not null references sites,
    kind            text collate "C" not null,
    text            text not null,
    machine         text collate "C",
    line            text collate "C",
    product         text collate "C",
    order_id        text collate "C",
    starts_at       timestamptz,
    ends_at         timestamptz,
    trade_off       text,
    expected_effect text,
    author          text,
    amount          numeric,
    created_at      timestamptz not null default now()
);
create index on notes (site, starts_at);

-- A key is stored as a hash only. sites: null means every site.
create table keys (
    key_id       int generated always as identity primary key,
    name         text not null default '',
    hash         bytea not null unique,
    role         text not null check (role in ('finance', 'engineer', 'floor', 'it')),
    sites        text[] collate "C",
    created_at   timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);

create table audit (
    audit_id bigint generated always as identity primary key,
    at       timestamptz not null default now(),
    key_id   int references keys,
    site     text collate "C",
    action   text not null,
    detail   jsonb not null default '{}'
);
create index on audit (at);
