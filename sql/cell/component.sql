-- model.grain    = one row per component, sub_component of one period, totals (_T) and zeros included
-- model.privacy  = confidential
-- model.reads    = frame.category, usage.component_day, usage.network_day
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = visitors | distinct persons in the period, never a sum of smaller periods | persons
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by people | count
-- model.column   = networks | distinct networks the page views came from | count
-- model.unique   = component, sub_component
-- model.assert   = visitors <= visits and visits <= page_views and (visitors = 0) = (page_views = 0)
with persons as (
    select
        component,
        sub_component,
        count(distinct person)::bigint as visitors,
        sum(visits)::bigint as visits,
        sum(page_views)::bigint as page_views
    from usage.component_day
    where event_date between $first_date and $last_date
    group by component, sub_component
),

networks as (
    select
        component,
        sub_component,
        count(distinct network)::bigint as networks
    from usage.network_day
    where event_date between $first_date and $last_date
    group by component, sub_component
)

select
    category.component,
    category.sub_component,
    coalesce(persons.visitors, 0)::bigint as visitors,
    coalesce(persons.visits, 0)::bigint as visits,
    coalesce(persons.page_views, 0)::bigint as page_views,
    coalesce(networks.networks, 0)::bigint as networks
from frame.category
left join persons using (component, sub_component)
left join networks using (component, sub_component)
order by category.component, category.sub_component
