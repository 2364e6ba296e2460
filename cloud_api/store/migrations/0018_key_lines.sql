-- Keys that are bound to lines.

-- lines: those of the one site that a key of the floor is bound to; null: every line of its sites.
alter table keys
    add column lines text[] collate "C",
    add constraint keys_lines check (lines is null or (role = 'floor' and cardinality(sites) = 1 and cardinality(lines) > 0));
