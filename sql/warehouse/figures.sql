-- model.grain    = one row per period, component, sub_component
-- model.privacy  = shareable
-- model.reads    = release.figures
-- model.column   = period | day (2026-11-21), ISO week (2026-W47) or month (2026-11) | code
-- model.column   = period_kind | day, week or month: never add figures of different kinds | code
-- model.column   = first_date | first day of the period, reporting time zone | date
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = visitors | distinct visitors; not additive over components or periods | persons
-- model.column   = visits | visits; additive over days, not over components | visits
-- model.column   = page_views | pages viewed by people; additive over days and components | page views
-- model.column   = status | published, suppressed (withheld, not zero) or incomplete | code
-- model.unique   = period, component, sub_component
-- model.assert   = (status = 'suppressed') = (visitors is null)
select
    period,
    period_kind,
    first_date,
    component,
    sub_component,
    visitors,
    visits,
    page_views,
    status
from release.figures
order by first_date, period_kind, period, component, sub_component
