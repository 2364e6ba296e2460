-- Where the past was written anew and decisions have not been looked for since: from so early on, at a machine.
-- Appended with the hours that are written, taken away by whoever looks; what is live is looked at anyway.
create table decisions_due (
    machine_id int not null references machines,
    since      timestamptz not null
);
create index on decisions_due (machine_id);

insert into decisions_due select machine_id, now() - interval '92 days' from machines;
