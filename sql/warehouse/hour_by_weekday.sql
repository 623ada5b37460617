-- model.grain    = one row per period, weekday, hour, of the whole site
-- model.privacy  = shareable
-- model.reads    = release.figures
-- model.column   = period | ISO week (2026-W47) or month (2026-11) | code
-- model.column   = period_kind | week or month: never add figures of different kinds | code
-- model.column   = first_date | first day of the period, reporting time zone | date
-- model.column   = last_date | last day of the period, reporting time zone | date
-- model.column   = weekday | day of the week, 1 (Monday) to 7 (Sunday) | code
-- model.column   = hour | hour of the clock, 00 to 23, reporting time zone | code
-- model.column   = page_views | pages viewed by people in this hour on these weekdays of the period | page views
-- model.column   = page_views_share | of all page views of the period; empty where either is withheld | share
-- model.column   = status | published, suppressed (withheld, not zero) or incomplete | code
-- model.unique   = period, weekday, hour
-- model.assert   = (status = 'suppressed') = (page_views is null)
-- model.assert   = page_views_share is null or page_views_share between 0 and 1
select
    cells.period,
    cells.period_kind,
    cells.first_date,
    cells.last_date,
    cells.weekday,
    cells.hour,
    cells.page_views,
    cells.page_views / nullif(everything.page_views, 0) as page_views_share,
    cells.status
from release.figures as cells
inner join release.figures as everything
    on cells.period = everything.period and everything.weekday = '_T' and everything.hour = '_T'
where cells.weekday <> '_T' and cells.hour <> '_T'
order by cells.period_kind, cells.first_date, cells.period, cells.weekday, cells.hour
