-- name: add_note
-- Keeps a note, unless one of the same request was kept before.
insert into notes (site, kind, text, machine, line, product, order_id, starts_at, ends_at, trade_off,
                   expected_effect, author, released, causes, request, question_id, like_of, decision_id, created_at)
values (%(site)s, %(kind)s, %(text)s, %(machine)s, %(line)s, %(product)s, %(order)s, %(starts_at)s, %(ends_at)s,
        %(trade_off)s, %(expected_effect)s, %(author)s, %(released)s, %(causes)s, %(request)s, %(question)s,
        %(like_of)s, %(decision)s, %(now)s)
on conflict (site, request) do nothing
returning note_id;

-- name: note_of_request
-- The note that a request made.
select note_id from notes where site = %(site)s and request = %(request)s;

-- name: change_note
-- Puts corrected words in the place of the old, which the audit keeps.
update notes
set kind = %(kind)s, text = %(text)s, machine = %(machine)s, line = %(line)s, product = %(product)s,
    order_id = %(order)s, starts_at = %(starts_at)s, ends_at = %(ends_at)s, trade_off = %(trade_off)s,
    expected_effect = %(expected_effect)s, author = %(author)s, released = %(released)s, changed_at = %(now)s
where note_id = %(note)s;

-- name: withdraw_notes
-- Withdraws notes: they stay where they are, and explain nothing any more.
update notes set withdrawn_at = %(now)s where note_id = any(%(notes)s) and withdrawn_at is null returning note_id;

-- name: lock_note
-- One note, held until the transaction ends.
select note_id from notes where note_id = %(note)s for update;

-- name: notes
-- Notes of some sites, newest first. Spans: those that touch [from, to); a note without an end is open. words: a
-- text search query over what was said, null for all.
select note_id, site, kind, text, machine, line, product, order_id, starts_at, ends_at, trade_off, expected_effect,
       author, released, causes, question_id, like_of, decision_id, created_at, changed_at, withdrawn_at
from notes
where site = any(%(sites)s)
  and (%(notes)s::bigint[] is null or note_id = any(%(notes)s))
  and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
  and (%(machines)s::text[] is null or machine = any(%(machines)s)
       or (machine is null and line = any(%(lines_of_machines)s)))
  and (%(lines)s::text[] is null or line = any(%(lines)s) or machine = any(%(machines_of_lines)s))
  and (%(products)s::text[] is null or product = any(%(products)s))
  and (%(orders)s::text[] is null or order_id = any(%(orders)s))
  and (%(from)s::timestamptz is null or starts_at >= %(from)s or coalesce(ends_at, 'infinity') > %(from)s)
  and (%(to)s::timestamptz is null or starts_at < %(to)s)
  and (%(words)s::text is null or memory @@ to_tsquery('simple'::regconfig, %(words)s))
  and (%(withdrawn)s or withdrawn_at is null)
order by starts_at desc, note_id desc;

-- name: said
-- Notes of a site that may explain something of [from, to): living ones, not of kind other. A note without an end
-- reaches at most to the end of its production day, which is less than 26 hours long.
select note_id, kind, starts_at, ends_at, machine, line, product, order_id, causes
from notes
where site = %(site)s and withdrawn_at is null and kind <> 'other'
  and (%(to)s::timestamptz is null or starts_at < %(to)s)
  and (%(from)s::timestamptz is null or coalesce(ends_at, starts_at + interval '26 hours') > %(from)s)
order by starts_at, note_id;

-- name: segments_in
-- Stored segments of one machine that touch any of some spans, in order. Columns as in answers.segments.
select starts_at, ends_at, hour, production_day, effective, state, product, order_id, made_product, made_order,
       reason, shift, calendar, overtime, paid, crew, duration_us, crew_assumed_us, uncertain_us, good,
       scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from segments s
where machine_id = %(machine)s and exists (
    select from unnest(%(froms)s::timestamptz[], %(tos)s::timestamptz[]) as span (starts_at, ends_at)
    where s.starts_at < span.ends_at and s.ends_at > span.starts_at)
  and s.starts_at < %(last)s and s.starts_at > %(first)s::timestamptz - interval '1 hour'
order by starts_at;

-- name: sizes
-- Sums of the entries of one site by group, as answers.costs has them, and the sum of their sizes whatever their
-- signs: gains of one hour do not hide the losses of another. Causes in `silent` leave nothing to explain.
select case when %(by_machine)s or cause = any(%(reasoned)s) then machine_id end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       case when %(by_shift)s then shift end,
       resource, cause,
       case when %(by_reason)s or cause = any(%(reasoned)s) then reason end,
       case when %(by_hour)s then hour end,
       case when %(by_day)s then production_day end,
       sum(amount), sum(abs(amount))
from entries
where site = %(site)s
  and (machine_id = any(%(machines)s) or (%(charges)s and machine_id is null))
  -- use: hours
  -- use: days
  -- use: words
  -- use: cells
  and not cause = any(%(silent)s)
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6, 7, 8, 9;

-- name: sizes_by_part
-- As sizes, from the sums by production day.
select case when %(by_machine)s or cause = any(%(reasoned)s) then machine_id end,
       case when %(by_product)s then product end,
       case when %(by_order)s then order_id end,
       case when %(by_shift)s then shift end,
       resource, cause,
       case when %(by_reason)s or cause = any(%(reasoned)s) then reason end,
       null::timestamptz,
       case when %(by_day)s then production_day end,
       sum(amount), sum(size)
from entry_parts
where site = %(site)s and entries <> 0
  and (machine_id = any(%(machines)s) or (%(charges)s and machine_id is null))
  -- use: days
  -- use: words
  -- use: cells
  and not cause = any(%(silent)s)
  and not resource = any(%(withheld)s)
group by 1, 2, 3, 4, 5, 6, 7, 9;

-- name: stops
-- Stored segments of some machines that are stops or without data and touch [from, to), each cut at to. Columns
-- as in answers.segments, the machine in front.
select machine_id, starts_at, least(ends_at, %(to)s), hour, production_day, effective, state, product, order_id,
       made_product, made_order, reason, shift, calendar, overtime, paid, crew,
       (extract(epoch from least(ends_at, %(to)s) - starts_at) * 1000000)::bigint, crew_assumed_us,
       uncertain_us, good, scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from segments
where machine_id = any(%(machines)s) and state in ('down', 'unknown')
  and starts_at < %(to)s and starts_at > %(from)s::timestamptz - interval '1 hour' and ends_at > %(from)s
order by machine_id, starts_at;

-- name: states
-- What each of some machines was in at an instant or, where its time line ends before, last: machine, state,
-- since, product, order, whether the interpretation of earlier hours waits.
select m.machine_id, s.state, s.starts_at, s.ends_at, s.product, s.order_id, s.reason,
       exists (select from marks d where d.machine_id = m.machine_id
               and d.hour < date_trunc('hour', %(now)s::timestamptz, 'UTC') - interval '1 hour'
               and d.hour >= %(now)s::timestamptz - interval '26 hours')
from unnest(%(machines)s::int[]) as m (machine_id)
join lateral (
    select state, starts_at, ends_at, product, order_id, reason
    from segments where machine_id = m.machine_id and starts_at < %(now)s
    order by starts_at desc limit 1
) as s on true;

-- name: since
-- Since when each of some machines is in the state of an instant, at most a day back.
select m.machine_id, (
    select max(ends_at) from segments b
    where b.machine_id = m.machine_id and b.state <> m.state and b.starts_at < %(now)s
      and b.starts_at > %(now)s::timestamptz - interval '25 hours')
from unnest(%(machines)s::int[], %(states)s::text[]) as m (machine_id, state);

-- name: asked
-- Questions that were asked about some machines in the last days, oldest first.
select question_id, machine_id, starts_at, ends_at, pattern, shift_from, asked_in, asked_at, like_until, note_id
from questions
where machine_id = any(%(machines)s) and asked_at >= %(since)s and asked_at <= %(now)s
order by asked_at, question_id;

-- name: ask
-- Asks a question.
insert into questions (site, machine_id, kind, state, cause, starts_at, ends_at, reason, product, order_id, shift,
                       amount, hours, spans, pattern, shift_from, asked_in, asked_at, gone_at)
values (%(site)s, %(machine)s, 'stop', %(state)s, %(cause)s, %(starts_at)s, %(ends_at)s, %(reason)s, %(product)s,
        %(order)s, %(shift)s, %(amount)s, %(hours)s, %(spans)s, %(pattern)s, %(shift_from)s, %(asked_in)s,
        %(asked_at)s, %(gone_at)s)
returning question_id;

-- name: questions
-- Questions of some machines, dearest first. states: open, answered, gone.
select question_id, site, machine_id, kind, state, cause, starts_at, ends_at, reason, product, order_id, shift,
       amount, hours, spans, pattern, asked_at, gone_at, answered_at, answer, note_id, like_until
from questions
where machine_id = any(%(machines)s)
  and (%(question)s::bigint is null or question_id = %(question)s)
  and asked_at <= %(now)s
  and (%(from)s::timestamptz is null or ends_at > %(from)s)
  and (%(to)s::timestamptz is null or starts_at < %(to)s)
  and case %(status)s
      when 'open' then answered_at is null and gone_at > %(now)s
      when 'answered' then answered_at is not null
      when 'gone' then answered_at is null and gone_at <= %(now)s
      else true end
order by amount desc, starts_at, question_id;

-- name: lock_question
-- One question, held until the transaction ends.
select machine_id, request from questions where question_id = %(question)s for update;

-- name: answer
-- Puts an answer to a question.
update questions
set answered_at = %(now)s, answer = %(answer)s, note_id = %(note)s, like_until = %(like_until)s,
    request = coalesce(%(request)s, request)
where question_id = %(question)s;

-- name: reopen
-- Takes an answer back: the question is asked on.
update questions
set answered_at = null, answer = null, note_id = null, like_until = null where question_id = %(question)s;

-- name: end_like
-- From now on the answer explains nothing else.
update questions set like_until = null where question_id = %(question)s;

-- name: likes
-- Spans that the answer to a question explains besides its own.
select machine, starts_at, ends_at, note_id from notes
where question_id = %(question)s and like_of is not null and withdrawn_at is null order by starts_at;

-- name: reasons_seen
-- What stops of some machines were in the last four weeks, the most frequent first: reasons that the machine
-- told, and answers that people gave.
select machine_id, word, count(*) from (
    select machine_id, reason as word from segments
    where machine_id = any(%(machines)s) and state = 'down' and reason is not null
      and starts_at < %(now)s and starts_at > %(now)s::timestamptz - interval '28 days'
    union all
    select machine_id, answer from questions
    where machine_id = any(%(machines)s) and state = 'down' and answer is not null and answer <> 'other'
      and answered_at <= %(now)s and answered_at > %(now)s::timestamptz - interval '28 days'
) as said
group by 1, 2 order by 1, 3 desc, 2;

-- name: with_likes
-- Notes, and those that reach further for them.
select note_id from notes where note_id = any(%(notes)s) or like_of = any(%(notes)s) order by note_id;

-- name: said_by
-- A living note and those that reach further for it, as in said.
select note_id, kind, starts_at, ends_at, machine, line, product, order_id, causes
from notes where (note_id = %(note)s or like_of = %(note)s) and withdrawn_at is null order by note_id;

-- name: author
-- Who wrote a note.
select author from notes where note_id = %(note)s;

-- name: stored_note
-- A note as it is stored, for the audit.
select to_jsonb(n) - 'memory' from notes n where note_id = %(note)s;

-- name: claim_site
-- Takes a site for this transaction's look at it, unless another has it.
select pg_try_advisory_xact_lock(hashtext('plantledger context'), hashtext(%(site)s));

-- name: answer_said
-- What the living note of an answer says, and who said it.
select text, author from notes where note_id = %(note)s and withdrawn_at is null;

-- name: pattern
-- What a question was about, as in asked.
select starts_at, ends_at, pattern, shift_from, asked_in, asked_at from questions where question_id = %(question)s;

-- name: segments_until
-- Stored segments of one machine that begin in [from, to), in order; the last is cut at to. Columns as in
-- answers.segments.
select starts_at, least(ends_at, %(to)s), hour, production_day, effective, state, product, order_id, made_product,
       made_order, reason, shift, calendar, overtime, paid, crew,
       (extract(epoch from least(ends_at, %(to)s) - starts_at) * 1000000)::bigint, crew_assumed_us, uncertain_us,
       good, scrap, rework, energy_kwh, energy_assumed, material, changeovers, late_seen
from segments
where machine_id = %(machine)s and starts_at >= %(from)s and starts_at < %(to)s
order by starts_at;

-- name: begun
-- When some orders first ran on a machine, as far as they did until an instant.
select order_id, min(starts_at) from segments
where machine_id = %(machine)s and order_id = any(%(orders)s) and starts_at < %(now)s and state = 'running'
group by order_id;

-- name: due
-- The past of a machine was written from an instant on.
insert into decisions_due (machine_id, since) values (%(machine)s, %(since)s);

-- name: take_due
-- From when on decisions are to be looked for in the past of some machines; those that are taken are due no more.
with taken as (delete from decisions_due where machine_id = any(%(machines)s) returning machine_id, since)
select machine_id, min(since) from taken group by machine_id order by machine_id;

-- name: overrides
-- Speed override of a machine in [from, to), with the value that held at the beginning; null where it is not good.
(select greatest(time, %(from)s), case when quality < 2 then value end
 from samples join series using (series_id)
 where machine_id = %(machine)s and role = 'speed_override'
   and time < %(from)s and time > %(from)s::timestamptz - interval '31 days'
 order by time desc limit 1)
union all
(select time, case when quality < 2 then value end
 from samples join series using (series_id)
 where machine_id = %(machine)s and role = 'speed_override' and time >= %(from)s and time < %(to)s
 order by time)
order by 1;

-- name: drafted
-- Drafts of a sign at a machine of late, the newest first.
select decision_id, starts_at, ends_at, order_id, product from decisions
where machine_id = %(machine)s and sign = %(sign)s and ends_at > %(since)s order by starts_at desc;

-- name: draft
-- Drafts a decision.
insert into decisions (site, machine_id, kind, sign, starts_at, ends_at, product, order_id, detail, drafted_at)
values (%(site)s, %(machine)s, %(kind)s, %(sign)s, %(starts_at)s, %(ends_at)s, %(product)s, %(order)s, %(detail)s,
        %(now)s)
returning decision_id;

-- name: draft_on
-- A decision goes on: its span grows, and what was seen last counts.
update decisions
set starts_at = least(starts_at, %(starts_at)s), ends_at = greatest(ends_at, %(ends_at)s), detail = %(detail)s
where decision_id = %(decision)s and (starts_at > %(starts_at)s or ends_at < %(ends_at)s or detail <> %(detail)s);

-- name: decisions
-- Drafts of some machines, the newest first.
select decision_id, site, machine_id, kind, sign, starts_at, ends_at, product, order_id, detail, drafted_at, status,
       note_id
from decisions
where machine_id = any(%(machines)s)
  and drafted_at <= %(now)s
  and (%(decision)s::bigint is null or decision_id = %(decision)s)
  and (%(from)s::timestamptz is null or ends_at > %(from)s)
  and (%(to)s::timestamptz is null or starts_at < %(to)s)
  and (%(status)s = 'all' or status = %(status)s)
order by starts_at desc, decision_id desc;

-- name: lock_decision
-- One draft, held until the transaction ends.
select machine_id from decisions where decision_id = %(decision)s for update;

-- name: decide
-- A draft is confirmed, by a note, or dismissed.
update decisions set status = %(status)s, decided_at = %(now)s, note_id = %(note)s where decision_id = %(decision)s;

-- name: good
-- Good units of the order of each of some machines until an instant.
select o.machine_id, o.made_order, sum(o.good)
from unnest(%(machines)s::int[], %(orders)s::text[]) as m (machine_id, order_id)
join segments o on o.machine_id = m.machine_id and o.made_order = m.order_id
where o.starts_at < %(now)s and o.starts_at > %(now)s::timestamptz - interval '31 days'
group by 1, 2;
