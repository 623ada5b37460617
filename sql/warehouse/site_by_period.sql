-- model.grain    = one row per period, of the whole site
-- model.privacy  = shareable
-- model.reads    = release.figures
-- model.column   = period | day (2026-11-21), ISO week (2026-W47) or month (2026-11) | code
-- model.column   = period_kind | day, week or month: never add figures of different kinds | code
-- model.column   = first_date | first day of the period, reporting time zone | date
-- model.column   = last_date | last day of the period, reporting time zone | date
-- model.column   = visitors | distinct visitors; not additive over periods | persons
-- model.column   = visits | visits | visits
-- model.column   = page_views | pages viewed by people | page views
-- model.column   = frequency | visits by visitors | visits per visitor
-- model.column   = page_views_per_visit | page views by visits | page views per visit
-- model.column   = status | published, suppressed (withheld, not zero) or incomplete | code
-- model.unique   = period
-- model.assert   = (status = 'suppressed') = (visitors is null)
select
    period,
    period_kind,
    first_date,
    last_date,
    visitors,
    visits,
    page_views,
    visits / nullif(visitors, 0) as frequency,
    page_views / nullif(visits, 0) as page_views_per_visit,
    status
from release.figures
where component = '_T' and sub_component = '_T'
order by period_kind, first_date, period
