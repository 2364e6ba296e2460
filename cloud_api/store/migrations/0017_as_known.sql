-- What was known when a period was closed, so that its figures can be computed again from it.
--
-- Samples and losses say when they were received; coverage is one row an hour that grows. What an hour of
-- coverage was before something late changed it is kept for the hours before the end of a closed period.
create table coverage_before (
    source_id int not null references sources,
    hour      timestamptz not null,
    spans     tstzmultirange not null,
    until     timestamptz not null default clock_timestamp()
);
create index on coverage_before (source_id, hour, until);

create function keep_coverage() returns trigger
language plpgsql as $$
begin
    if exists (select from periods where status = 'closed') then
        insert into coverage_before (source_id, hour, spans)
        select c.source_id, c.hour, case when tg_op = 'INSERT' then '{}'::tstzmultirange else c.spans end
        from changed c join sources using (source_id) join agents a using (agent_id)
        where c.hour < (select max(p.ends_at) from periods p where p.site = a.site and p.status = 'closed');
    end if;
    return null;
end
$$;
create trigger keep_new after insert on coverage referencing new table as changed
    for each statement execute function keep_coverage();
create trigger keep_old after update on coverage referencing old table as changed
    for each statement execute function keep_coverage();
