-- Days and periods for Power BI, Excel and dbt: each production day with its fiscal period, also the open ones.
--
-- Periods are laid down as `cloud_api.answers.fiscal` and `posting.laid_down` say: those that were locked, unlocked or
-- closed are rows; those of the plant model's fiscal year that overlap none of them stand between. Of those, the ones
-- that hold a day with figures are shown.

create view fiscal_years as
with recursive plants as (
    select s.site, p.body #>> '{fiscal,pattern}' as pattern, (p.body #>> '{fiscal,year_start}')::date as year_start
    from sites s
    cross join lateral (
        select body from plant_rows
        where site = s.site and kind = 'site' and ended_by is null
        order by version desc, row_id desc limit 1
    ) p
),
-- start: of the year that begins near the anniversary of year_start after `years` years; next_start: of the next one. A
-- year has 52 weeks, and one more where the next would begin more than three days before its anniversary.
years as (
    select site, pattern, year_start, 0 as years, year_start as start
    from plants where pattern <> 'calendar' and year_start is not null
    union all
    select site, pattern, year_start, years + 1, start + 364 + 7 * long::int
    from years
    cross join lateral (select (year_start + make_interval(years => years + 1))::date as same_day) a
    cross join lateral (
        select same_day + (to_char(year_start, 'MM-DD') = '02-29' and to_char(same_day, 'MM-DD') = '02-28')::int
               - (start + 364) > 3 as long
    ) b
    where years < 15
)
select site, pattern, year_start, years, start, lead(start) over (partition by site order by years) as next_start
from years;

create view fiscal_periods as
with weeks as (
    select y.site, extract(year from y.year_start)::int + y.years as year, y.start, y.next_start, n as number,
           substr(y.pattern, 1 + 2 * ((n - 1) % 3), 1)::int * 7 as days
    from fiscal_years y cross join generate_series(1, 12) n
    where y.next_start is not null
), begun as (
    select site, year, number, next_start, start + after - days as first_day, start + after as end_day
    from (
        select *, (sum(days) over (partition by site, year order by number))::int as after from weeks
    ) w
)
select site, (year || '-P' || to_char(number, 'FM00')) collate "C" as period, first_day,
       case when number = 12 then next_start else end_day end as end_day
from begun
union all
select s.site, to_char(month, 'YYYY-MM') collate "C", month::date, (month + interval '1 month')::date
from sites s
cross join lateral (
    select coalesce(extract(year from (body #>> '{fiscal,year_start}')::date)::int, 2026) as middle
    from plant_rows
    where site = s.site and kind = 'site' and ended_by is null
        and (body #>> '{fiscal,pattern}' is null or body #>> '{fiscal,pattern}' = 'calendar'
             or body #>> '{fiscal,year_start}' is null)
        and row_id = (select row_id from plant_rows where site = s.site and kind = 'site' and ended_by is null
                      order by version desc, row_id desc limit 1)
) p
cross join lateral generate_series(make_date(middle - 5, 1, 1)::timestamp, make_date(middle + 15, 12, 1)::timestamp,
                                   interval '1 month') month;

create or replace view fin_periods as
with days as (
    select site, min(day) as first, max(day) as last
    from (
        select site, min(production_day), max(production_day) from entry_days group by site
        union all
        select site, min(production_day), max(production_day) from output_days group by site
    ) d (site, low, high) cross join lateral (values (low), (high)) v (day)
    group by site
), laid as (
    select f.site, f.period, f.first_day, f.end_day
    from fiscal_periods f join days d using (site)
    where f.first_day <= d.last and f.end_day > d.first
        and not exists (
            select from periods p
            where p.site = f.site and (p.period = f.period or p.first_day < f.end_day and p.end_day > f.first_day)
        )
)
select p.site, p.period, p.first_day, p.end_day, p.starts_at, p.ends_at, p.status, p.locked_at, p.closed_at,
       p.closed_at at time zone coalesce(z.time_zone, 'UTC') as closed_local
from periods p left join fin_sites z using (site)
union all
select l.site, l.period, l.first_day, l.end_day, (l.first_day + c.day_start) at time zone coalesce(z.time_zone, 'UTC'),
       (l.end_day + c.day_start) at time zone coalesce(z.time_zone, 'UTC'), 'provisional', null, null, null
from laid l
left join fin_sites z using (site)
cross join lateral (
    select coalesce((
        select (body ->> 'day_start')::time from plant_rows
        where site = l.site and kind = 'calendar' and ended_by is null
        order by version desc, row_id desc limit 1
    ), '00:00') as day_start
) c;

create view fin_days as
select p.site, day::date as day, p.period, p.first_day as period_first_day, p.end_day as period_end_day, p.status,
       date_trunc('week', day)::date as week
from fin_periods p cross join lateral generate_series(p.first_day::timestamp, p.end_day - interval '1 day',
                                                     interval '1 day') day;

comment on view fin_periods is 'Fiscal periods that hold figures, or were locked or closed.';
comment on column fin_periods.status is 'provisional, locked or closed.';

comment on view fin_days is 'Production days by fiscal period: join fin_costs and fin_variances by site and day.';
comment on column fin_days.site is 'Site.';
comment on column fin_days.day is 'Production day.';
comment on column fin_days.period is 'Fiscal period that it lies in.';
comment on column fin_days.period_first_day is 'First production day of the period.';
comment on column fin_days.period_end_day is 'Day after the last of the period.';
comment on column fin_days.status is 'provisional, locked or closed.';
comment on column fin_days.week is 'Monday of its week.';

-- Who reads the others reads this one.
do $$
declare
    reader name;
begin
    for reader in
        select distinct r.rolname
        from pg_class c cross join aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
        where c.oid = 'fin_sites'::regclass and a.privilege_type = 'SELECT' and a.grantee <> c.relowner
    loop
        execute format('grant select on fin_days to %I', reader);
    end loop;
end;
$$;
