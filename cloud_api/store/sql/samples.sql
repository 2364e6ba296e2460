-- name: copy
-- Rows as a binary COPY block, columns in the order of cloud_api.ingest.copy.COLUMNS.
copy samples (time, series_id, value, text, raw, raw_text, source_time, quality, origin, received_at)
from stdin (format binary);

-- name: ensure_partitions
-- Makes the week partitions for these times where they are not there yet.
select ensure_sample_partitions(%(times)s::timestamptz[]);

-- name: lock_spans
-- Locks the spans of machines in the order of their ids; tells the watermark of each.
select machine_id, greatest(last_sample, last_mark)
from machine_spans where machine_id = any(%(machines)s::int[]) order by machine_id for no key update;

-- name: widen_spans
-- Widens the spans of machines by what came: first and last sample, last scan mark (null where none).
insert into machine_spans (machine_id, first_sample, last_sample, last_mark)
select machine_id, first, last, mark
from unnest(%(machines)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[], %(marks)s::timestamptz[])
     as seen (machine_id, first, last, mark)
order by machine_id
on conflict (machine_id) do update
set first_sample = least(machine_spans.first_sample, excluded.first_sample),
    last_sample = greatest(machine_spans.last_sample, excluded.last_sample),
    last_mark = greatest(machine_spans.last_mark, excluded.last_mark);

-- name: count_late
-- Counts rows that came in behind the watermark of their machine.
insert into late_arrivals (machine_id, hour, late_rows)
select machine_id, hour, late_rows
from unnest(%(machines)s::int[], %(hours)s::timestamptz[], %(rows)s::bigint[]) as seen (machine_id, hour, late_rows)
order by machine_id, hour
on conflict (machine_id, hour) do update set late_rows = late_arrivals.late_rows + excluded.late_rows;

-- name: cover
-- Unites scan marks (closed spans within one UTC hour) with what is known of their sources.
insert into coverage (source_id, hour, spans)
select source_id, hour, range_agg(tstzrange(first, last, '[]'))
from unnest(%(sources)s::int[], %(hours)s::timestamptz[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[])
     as seen (source_id, hour, first, last)
group by source_id, hour order by source_id, hour
on conflict (source_id, hour) do update set spans = coverage.spans + excluded.spans;

-- name: clock
-- The server's clock in microseconds since 1970 UTC.
select (extract(epoch from clock_timestamp()) * 1000000)::bigint;
