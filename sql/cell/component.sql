-- model.grain    = one row per component, sub_component, further of one period, totals (_T) and zeros included
-- model.privacy  = confidential
-- model.reads    = frame.category, usage.component_day, usage.network_day
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of further dimensions, empty for their totals | code
-- model.column   = visitors | distinct persons in the period, never a sum of smaller periods | persons
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by people | count
-- model.column   = networks | distinct networks the page views came from | count
-- model.unique   = component, sub_component, further
-- model.assert   = visitors <= visits and visits <= page_views and (visitors = 0) = (page_views = 0)
-- The frame says under which code (shown) each stored one is published: bins of too few are folded into others.
with persons as (
    select
        category.component,
        category.sub_component,
        category.shown,
        count(distinct usage.person)::bigint as visitors,
        sum(usage.visits)::bigint as visits,
        sum(usage.page_views)::bigint as page_views
    from usage.component_day as usage
    inner join frame.category as category using (component, sub_component, further)
    where usage.event_date between $first_date and $last_date
    group by category.component, category.sub_component, category.shown
),

networks as (
    select
        category.component,
        category.sub_component,
        category.shown,
        count(distinct usage.network)::bigint as networks
    from usage.network_day as usage
    inner join frame.category as category using (component, sub_component, further)
    where usage.event_date between $first_date and $last_date
    group by category.component, category.sub_component, category.shown
),

categories as (
    select distinct
        component,
        sub_component,
        shown
    from frame.category
)

select
    component,
    sub_component,
    shown as further,
    coalesce(persons.visitors, 0)::bigint as visitors,
    coalesce(persons.visits, 0)::bigint as visits,
    coalesce(persons.page_views, 0)::bigint as page_views,
    coalesce(networks.networks, 0)::bigint as networks
from categories
left join persons using (component, sub_component, shown)
left join networks using (component, sub_component, shown)
order by component, sub_component, further
