-- model.grain    = one row per component, sub_component, further, code of one period; none where nobody was
-- model.privacy  = confidential
-- model.reads    = frame.category, frame.bin, usage.component_day
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of the other further dimensions, empty for their totals | code
-- model.column   = code | bin of the number of visits that a person made here in the period | code
-- model.column   = visitors | distinct persons | persons
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by people | count
-- model.column   = networks | networks told apart by their buckets: that many at least | count
-- model.unique   = component, sub_component, further, code
-- model.assert   = visitors >= 1 and visitors <= visits and visits <= page_views and networks >= 1
-- frame.bin: the bins as published, low <= visits < high.
with usage_row as (
    select
        category.component,
        category.sub_component,
        category.shown,
        usage.person,
        usage.visits,
        usage.page_views,
        usage.network_bucket
    from usage.component_day as usage
    inner join frame.category as category using (component, sub_component, further)
    where usage.event_date between $first_date and $last_date
),

person as (
    select
        component,
        sub_component,
        shown,
        person,
        sum(visits) as visits
    from usage_row
    group by component, sub_component, shown, person
),

told as (
    select
        person.component,
        person.sub_component,
        person.shown,
        person.person,
        bin.code
    from person
    inner join frame.bin as bin on person.visits >= bin.low and person.visits < bin.high
)

select
    component,
    sub_component,
    shown as further,
    told.code,
    count(distinct person)::bigint as visitors,
    sum(usage_row.visits)::bigint as visits,
    sum(usage_row.page_views)::bigint as page_views,
    count(distinct usage_row.network_bucket)::bigint as networks
from usage_row
inner join told using (component, sub_component, shown, person)
group by component, sub_component, shown, told.code
order by component, sub_component, further, told.code
