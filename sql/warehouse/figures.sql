-- model.grain    = one row per period and combination of the table's dimensions
-- model.privacy  = shareable
-- model.reads    = release.figures
-- model.column   = period | day (2026-11-21), ISO week (2026-W47) or month (2026-11) | code
-- model.column   = period_kind | day, week or month: never add figures of different kinds | code
-- model.column   = first_date | first day of the period, reporting time zone | date
-- model.column   = last_date | last day of the period, reporting time zone | date
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, deeper ones as a path (guides/install), _T for all of it | code
-- model.column   = hour | hour of the clock, 00 to 23, reporting time zone; _T for all | code
-- model.column   = weekday | day of the week, 1 (Monday) to 7 (Sunday); _T for all | code
-- model.column   = referrer | how the visit came; _T for all | code
-- model.column   = browser | browser family of the visit; _T for all | code
-- model.column   = device | kind of device of the visit; _T for all | code
-- model.column   = country | country of the visit's network; _T for all | code
-- model.column   = customer_group | group of the visit's customer account; _T for all | code
-- model.column   = entry_component | component of the visit's first page view; _T for all | code
-- model.column   = exit_component | component of the visit's last page view; _T for all | code
-- model.column   = visit_depth | page views of the visit, in bins; _T for all | code
-- model.column   = visit_duration | from the visit's first page view to its last, in bins; _T for all | code
-- model.column   = visitor_type | new or returning within the ISO week; _T for all | code
-- model.column   = visit_frequency | the visitor's visits in the period, in bins; _T for all | code
-- model.column   = visitors | distinct visitors; not additive over components or periods | persons
-- model.column   = visits | visits; additive over days, not over components | visits
-- model.column   = page_views | pages viewed by people; additive over days and components | page views
-- model.column   = reach | visitors here by all visitors of the site in the period | share
-- model.column   = frequency | visits by visitors | visits per visitor
-- model.column   = page_views_per_visit | page views by visits | page views per visit
-- model.column   = status | published, suppressed (withheld, not zero) or incomplete | code
-- model.unique   = period, component, sub_component, hour, weekday, referrer, browser, device, country, customer_group, entry_component, exit_component, visit_depth, visit_duration, visitor_type, visit_frequency
-- model.assert   = first_date <= last_date
-- model.assert   = (status = 'suppressed') <= (visitors is null) and (status = 'suppressed') <= (visits is null)
-- A table shows some of these columns; those it has not are null here, and left out of it.
select
    period,
    period_kind,
    first_date,
    last_date,
    component,
    sub_component,
    hour,
    weekday,
    referrer,
    browser,
    device,
    country,
    customer_group,
    entry_component,
    exit_component,
    visit_depth,
    visit_duration,
    visitor_type,
    visit_frequency,
    visitors,
    visits,
    page_views,
    reach,
    frequency,
    page_views_per_visit,
    status
from release.figures
order by first_date, period_kind, period, component, sub_component, hour, weekday, referrer, browser, device, country, customer_group, entry_component, exit_component, visit_depth, visit_duration, visitor_type, visit_frequency
