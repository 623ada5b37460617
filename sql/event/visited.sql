-- model.grain    = one row per page view of a visitor who is no robot
-- model.privacy  = restricted
-- model.reads    = event.page_view, event.excluded
-- model.column   = person | the visitor's pseudonym in the window | 64-bit number
-- model.column   = network | the network's pseudonym in the window | 64-bit number
-- model.column   = visit_number | which of the visitor's visits of the day, from 1 | count
-- model.column   = component | part of the site, one of the table's | code
-- model.column   = sub_component | part of the component, _T where it has none | code
-- model.column   = hour | hour of the clock, reporting time zone | code
-- model.column   = referrer | how the visit came | code
-- model.column   = browser | browser family of the visit | code
-- model.column   = device | kind of device of the visit | code
-- model.column   = country | country of the visit | code
-- model.column   = customer_group | group of the visit's account | code
-- model.column   = entry_component | component of the visit's first page view | code
-- model.column   = exit_component | component of the visit's last page view | code
-- model.column   = visit_page_views | page views of the visit, all over the site | count
-- model.column   = visit_seconds | from the visit's first page view to its last | seconds
-- model.assert   = visit_number >= 1 and visit_page_views >= 1 and visit_seconds >= 0
-- A visit ends after 30 quiet minutes ($visit_gap) or at midnight: the model runs on one day at a time. What is said of
-- the whole visit is said by its first page view; of several in one second the smallest code, for lines have no order.
with kept as (
    select *
    from event.page_view
    where person not in (select excluded.person from event.excluded as excluded)
),

marked as (
    select
        *,
        coalesce(viewed_at - lag(viewed_at) over (partition by person order by viewed_at) > $visit_gap, true) as opens
    from kept
),

numbered as (
    -- "range" gives all page views of one second the same number, whatever order the engine reads them in
    select
        *,
        sum(opens::integer) over (
            partition by person order by viewed_at range unbounded preceding
        )::bigint as visit_number
    from marked
),

visit as (
    select
        person,
        visit_number,
        min(viewed_at) as first_at,
        max(viewed_at) as last_at,
        count(*) as page_views
    from numbered
    group by person, visit_number
),

entry as (
    select
        numbered.person,
        numbered.visit_number,
        min(numbered.component) as component,
        min(numbered.referrer) as referrer,
        min(numbered.browser) as browser,
        min(numbered.device) as device,
        min(numbered.country) as country,
        min(numbered.customer_group) as customer_group
    from numbered
    inner join visit using (person, visit_number)
    where numbered.viewed_at = visit.first_at
    group by numbered.person, numbered.visit_number
),

leaving as (
    select
        numbered.person,
        numbered.visit_number,
        min(numbered.component) as component
    from numbered
    inner join visit using (person, visit_number)
    where numbered.viewed_at = visit.last_at
    group by numbered.person, numbered.visit_number
)

select
    person,
    numbered.network,
    visit_number,
    numbered.component,
    numbered.sub_component,
    numbered.hour,
    entry.referrer,
    entry.browser,
    entry.device,
    entry.country,
    entry.customer_group,
    entry.component as entry_component,
    leaving.component as exit_component,
    visit.page_views::bigint as visit_page_views,
    epoch(visit.last_at - visit.first_at)::bigint as visit_seconds
from numbered
inner join visit using (person, visit_number)
inner join entry using (person, visit_number)
inner join leaving using (person, visit_number)
