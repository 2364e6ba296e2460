-- Sessions of browsers, and who acts where no key of ours does.

-- A session stands for the key it was opened with and ends with it. The browser holds the token, we its hash.
create table sessions (
    hash         bytea primary key,
    key_id       int not null references keys,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at   timestamptz not null,
    ended_at     timestamptz
);
create index on sessions (key_id);

-- subject: the person or program that an identity provider named; null where a key or the command line acted.
alter table audit add column subject text;

-- A line of the audit stays as it was written.
create function audit_stays() returns trigger language plpgsql as $$
begin
    raise exception 'the audit cannot be edited: % of audit refused', lower(tg_op)
        using errcode = 'insufficient_privilege';
end $$;

create trigger audit_stays before update or delete or truncate on audit
    for each statement execute function audit_stays();
