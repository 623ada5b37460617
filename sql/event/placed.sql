-- model.grain    = one row per page view
-- model.privacy  = restricted
-- model.reads    = event.page_view, frame.category
-- model.column   = viewed_at | when the page was asked for | timestamp, UTC
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = person | the visitor's pseudonym in the window | 64-bit number
-- model.column   = network | the network's pseudonym in the window | 64-bit number
-- model.column   = identity_basis | what the pseudonym rests on | account, cookie or address
-- model.column   = component | part of the site, one of the table's | code
-- model.column   = sub_component | part of the component, null where it has none | code
-- Rules may have changed since the line was read: what the table does not know goes to (other).
select
    event.viewed_at,
    event.event_date,
    event.person,
    event.network,
    event.identity_basis,
    coalesce(component.component, '(other)') as component,
    coalesce(sub_component.sub_component, rest.sub_component) as sub_component
from event.page_view as event
left join frame.category as component
    on event.component = component.component and component.sub_component = '_T'
left join frame.category as sub_component
    on component.component = sub_component.component and event.sub_component = sub_component.sub_component
left join frame.category as rest
    on component.component = rest.component and rest.sub_component = '(other)'
