-- model.grain    = one row per component, sub_component, further of one period; none where nobody was
-- model.privacy  = confidential
-- model.reads    = frame.category, usage.component_day
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of further dimensions, empty for their totals | code
-- model.column   = largest | page views of the person who has most of them | count
-- model.unique   = component, sub_component, further
-- model.assert   = largest >= 1
with person as (
    select
        category.component,
        category.sub_component,
        category.shown,
        usage.person,
        sum(usage.page_views)::bigint as page_views
    from usage.component_day as usage
    inner join frame.category as category using (component, sub_component, further)
    where usage.event_date between $first_date and $last_date
    group by category.component, category.sub_component, category.shown, usage.person
)

select
    component,
    sub_component,
    shown as further,
    max(page_views)::bigint as largest
from person
group by component, sub_component, shown
order by component, sub_component, further
