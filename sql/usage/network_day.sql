-- model.grain    = one row per network, event_date, component, sub_component, totals (_T) included
-- model.privacy  = restricted
-- model.reads    = event.placed
-- model.column   = network | the network's pseudonym in the window | 64-bit number
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = component | part of the site, _T for all of it | code
-- model.column   = sub_component | part of the component, _T for all of it | code
-- model.unique   = network, event_date, component, sub_component
-- Networks stand apart from persons on purpose: nothing says who came from where.
select
    network,
    event_date,
    case when grouping(component) = 1 then '_T' else component end as component,
    case when grouping(sub_component) = 1 then '_T' else sub_component end as sub_component
from event.placed
group by grouping sets (
    (network, event_date),
    (network, event_date, component),
    (network, event_date, component, sub_component)
)
having grouping(sub_component) = 1 or sub_component is not null
order by network, event_date, component, sub_component
