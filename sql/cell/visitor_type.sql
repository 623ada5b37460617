-- model.grain    = one row per component, sub_component, further, code of one day; none where nobody was
-- model.privacy  = confidential
-- model.reads    = frame.category, usage.component_day, usage.earlier_day
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of the other further dimensions, empty for their totals | code
-- model.column   = code | new or returning: whether the person was on the site earlier in the window | code
-- model.column   = visitors | distinct persons | persons
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by people | count
-- model.column   = networks | networks told apart by their buckets: that many at least | count
-- model.unique   = component, sub_component, further, code
-- model.assert   = visitors >= 1 and visitors <= visits and visits <= page_views and networks >= 1
-- usage.earlier_day holds the rows of the window's days before this one.
with seen as (
    select distinct person
    from usage.earlier_day
    where component = '_T' and sub_component = '_T' and further = ''
),

told as (
    select
        category.component,
        category.sub_component,
        category.shown,
        usage.person,
        usage.visits,
        usage.page_views,
        usage.network_bucket,
        case when seen.person is null then 'new' else 'returning' end as code
    from usage.component_day as usage
    inner join frame.category as category using (component, sub_component, further)
    left join seen on usage.person = seen.person
    where usage.event_date between $first_date and $last_date
)

select
    component,
    sub_component,
    shown as further,
    code,
    count(distinct person)::bigint as visitors,
    sum(visits)::bigint as visits,
    sum(page_views)::bigint as page_views,
    count(distinct network_bucket)::bigint as networks
from told
group by component, sub_component, shown, code
order by component, sub_component, further, code
