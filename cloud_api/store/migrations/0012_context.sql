-- What people say of what the machines did: notes that may be corrected and found again, questions that were
-- asked once, decisions that the data shows.
--
-- A note, a question or a decision names a machine and a span [starts_at, ends_at) and matches segments by
-- overlap; none of them names a segment.

-- released: the author agreed to be named beyond the own line. causes: the causes that an answer is about; null:
-- all that its kind can move. request: chosen by the sender, so that what is sent twice is kept once. question_id:
-- the question that it answers. like_of: the note of the answer that explains this span too. decision_id: the
-- draft that it confirms. memory: what a search finds; never the author.
alter table notes
    add column released     boolean not null default false,
    add column causes       text[] collate "C",
    add column request      text collate "C",
    add column question_id  bigint,
    add column like_of      bigint references notes,
    add column decision_id  bigint,
    add column changed_at   timestamptz,
    add column withdrawn_at timestamptz,
    add column memory       tsvector generated always as (
        to_tsvector('simple'::regconfig,
                    text || ' ' || kind || ' ' || coalesce(trade_off, '') || ' ' || coalesce(expected_effect, '') || ' '
                    || coalesce(machine, '') || ' ' || coalesce(line, '') || ' ' || coalesce(product, '') || ' '
                    || coalesce(order_id, ''))
    ) stored;
create unique index on notes (site, request);
create index on notes using gin (memory);
create index on notes (question_id) where question_id is not null;
create index on notes (like_of) where like_of is not null;

-- A question about one machine and span. kind: stop (a stop without a reason) or loss (a cause far above what the
-- standard allows). pattern: what segments like it have in common. asked_in: start of the shift in which it was
-- asked. gone_at: from then on nobody is asked. answer: the word that was chosen; null with answered_at: 'don't
-- know'. like_until: until then what is like it is explained by the same answer; null: by none.
create table questions (
    question_id bigint generated always as identity primary key,
    site        text collate "C" not null references sites,
    machine_id  int not null references machines,
    kind        text not null check (kind in ('stop', 'loss')),
    state       text collate "C" not null,
    cause       text collate "C" not null,
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    reason      text collate "C",
    product     text collate "C",
    order_id    text collate "C",
    shift       text collate "C",
    amount      numeric not null,
    hours       numeric not null,
    spans       int not null,
    quantity    numeric,
    pattern     text collate "C" not null,
    shift_from  timestamptz not null,
    asked_in    timestamptz not null,
    asked_at    timestamptz not null,
    gone_at     timestamptz not null,
    answered_at timestamptz,
    answer      text collate "C",
    note_id     bigint references notes,
    like_until  timestamptz,
    request     text collate "C",
    check (starts_at < ends_at)
);
create index on questions (machine_id, starts_at);
create index on questions (site, gone_at);
create unique index on questions (site, request);

-- A decision that the data shows, drafted as a note for one tap. detail: what was seen, numbers as text.
create table decisions (
    decision_id bigint generated always as identity primary key,
    site        text collate "C" not null references sites,
    machine_id  int not null references machines,
    kind        text collate "C" not null,
    sign        text collate "C" not null,
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    product     text collate "C",
    order_id    text collate "C",
    detail      jsonb not null default '{}',
    drafted_at  timestamptz not null,
    status      text not null default 'detected' check (status in ('detected', 'confirmed', 'dismissed')),
    decided_at  timestamptz,
    note_id     bigint references notes,
    check (starts_at < ends_at)
);
create index on decisions (machine_id, sign, starts_at);
create index on decisions (site, status);
