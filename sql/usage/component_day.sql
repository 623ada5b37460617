-- model.grain    = one row per person, event_date, component, sub_component, further, totals (_T) included
-- model.privacy  = restricted
-- model.reads    = event.counted
-- model.column   = person | the visitor's pseudonym in the window | 64-bit number
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of further dimensions (country=DE), empty for their totals | code
-- model.column   = week_bucket | one of 65,536 that the network falls in by its week's pseudonym, 0 where no table asks | number
-- model.column   = month_bucket | the same by its month's pseudonym | number
-- model.column   = visits | visits with at least one page view here | count
-- model.column   = page_views | successful page requests by this person | count
-- model.unique   = person, event_date, component, sub_component, further
-- model.assert   = visits >= 1 and page_views >= visits
-- The model runs on one day at a time, and replaces it. Of the buckets, each window's rows keep their own.
select
    person,
    $event_date::date as event_date,
    component,
    sub_component,
    further,
    min(week_bucket)::usmallint as week_bucket,
    min(month_bucket)::usmallint as month_bucket,
    count(distinct visit_number)::bigint as visits,
    count(*)::bigint as page_views
from event.counted
group by person, component, sub_component, further
order by person, event_date, component, sub_component, further
