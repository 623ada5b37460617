-- model.grain    = one row per network, event_date, component, sub_component, further, totals (_T) included
-- model.privacy  = restricted
-- model.reads    = event.counted
-- model.column   = network | the network's pseudonym in the window | 64-bit number
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.column   = further | codes of further dimensions (country=DE), empty for their totals | code
-- model.unique   = network, event_date, component, sub_component, further
-- Networks stand apart from persons on purpose: nothing says who came from where.
select distinct
    network,
    $event_date::date as event_date,
    component,
    sub_component,
    further
from event.counted
order by network, event_date, component, sub_component, further
