-- model.grain    = one row per period, component, sub_component, where it and the period just before are published
-- model.privacy  = shareable
-- model.reads    = release.figures
-- model.column   = period | day (2026-11-21), ISO week (2026-W47) or month (2026-11) | code
-- model.column   = period_before | the day, week or month that ends just before | code
-- model.column   = period_kind | day, week or month | code
-- model.column   = first_date | first day of the period, reporting time zone | date
-- model.column   = last_date | last day of the period, reporting time zone | date
-- model.column   = component | part of the site, _T for all of it, (other) what no rule names | code
-- model.column   = sub_component | part of the component, deeper ones as a path (guides/install), _T for all of it | code
-- model.column   = visitors | distinct visitors | persons
-- model.column   = visitors_before | distinct visitors of the period before | persons
-- model.column   = visitors_change | growth by the period before; empty where that is 0 | share
-- model.column   = visits | visits | visits
-- model.column   = visits_before | visits of the period before | visits
-- model.column   = visits_change | growth by the period before; empty where that is 0 | share
-- model.column   = page_views | pages viewed by people | page views
-- model.column   = page_views_before | page views of the period before | page views
-- model.column   = page_views_change | growth by the period before; empty where that is 0 | share
-- model.unique   = period, component, sub_component
-- model.assert   = visitors is not null and visitors_before is not null
-- Periods with days that have no log are left out: they would look like a fall. Months differ in length.
select
    now.period,
    before.period as period_before,
    now.period_kind,
    now.first_date,
    now.last_date,
    now.component,
    now.sub_component,
    now.visitors,
    before.visitors as visitors_before,
    now.visitors / nullif(before.visitors, 0) - 1 as visitors_change,
    now.visits,
    before.visits as visits_before,
    now.visits / nullif(before.visits, 0) - 1 as visits_change,
    now.page_views,
    before.page_views as page_views_before,
    now.page_views / nullif(before.page_views, 0) - 1 as page_views_change
from release.figures as now
inner join release.figures as before
    on
        now.period_kind = before.period_kind
        and now.first_date = before.last_date + 1
        and now.component = before.component
        and now.sub_component = before.sub_component
where now.status = 'published' and before.status = 'published'
order by now.period_kind, now.first_date, now.period, now.component, now.sub_component
