-- model.grain    = one row per component, sub_component, further, code of one period; none where nobody was
-- model.privacy  = confidential
-- model.reads    = frame.category, usage.component_day, usage.network_day
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of the other further dimensions, empty for their totals | code
-- model.column   = code | day of the week, ISO 8601: 1 is Monday | code
-- model.column   = visitors | distinct persons on such days of the period | persons
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by people | count
-- model.column   = networks | distinct networks the page views came from | count
-- model.unique   = component, sub_component, further, code
-- model.assert   = visitors >= 1 and visitors <= visits and visits <= page_views
with persons as (
    select
        category.component,
        category.sub_component,
        category.shown,
        isodow(usage.event_date)::varchar as code,
        count(distinct usage.person)::bigint as visitors,
        sum(usage.visits)::bigint as visits,
        sum(usage.page_views)::bigint as page_views
    from usage.component_day as usage
    inner join frame.category as category using (component, sub_component, further)
    where usage.event_date between $first_date and $last_date
    group by category.component, category.sub_component, category.shown, isodow(usage.event_date)
),

networks as (
    select
        category.component,
        category.sub_component,
        category.shown,
        isodow(usage.event_date)::varchar as code,
        count(distinct usage.network)::bigint as networks
    from usage.network_day as usage
    inner join frame.category as category using (component, sub_component, further)
    where usage.event_date between $first_date and $last_date
    group by category.component, category.sub_component, category.shown, isodow(usage.event_date)
)

select
    component,
    sub_component,
    shown as further,
    code,
    persons.visitors,
    persons.visits,
    persons.page_views,
    networks.networks
from persons
inner join networks using (component, sub_component, shown, code)
order by component, sub_component, further, code
