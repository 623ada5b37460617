-- model.grain    = one row per person, event_date, component, sub_component, totals (_T) included
-- model.privacy  = restricted
-- model.reads    = event.placed
-- model.column   = person | the visitor's pseudonym in the window | 64-bit number
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by this person | count
-- model.unique   = person, event_date, component, sub_component
-- model.assert   = visits >= 1 and page_views >= visits
-- A visit ends after 30 quiet minutes ($visit_gap) or at midnight: the model runs on one day at a time.
with marked as (
    select
        *,
        coalesce(viewed_at - lag(viewed_at) over (partition by person, event_date order by viewed_at) > $visit_gap, true) as opens
    from event.placed
),

numbered as (
    -- "range" gives all page views of one second the same number, whatever order the engine reads them in
    select
        *,
        sum(opens::integer) over (
            partition by person, event_date order by viewed_at range unbounded preceding
        ) as visit_number
    from marked
)

select
    person,
    event_date,
    case when grouping(component) = 1 then '_T' else component end as component,
    case when grouping(sub_component) = 1 then '_T' else sub_component end as sub_component,
    count(distinct visit_number)::bigint as visits,
    count(*)::bigint as page_views
from numbered
group by grouping sets (
    (person, event_date),
    (person, event_date, component),
    (person, event_date, component, sub_component)
)
having grouping(sub_component) = 1 or sub_component is not null
order by person, event_date, component, sub_component
