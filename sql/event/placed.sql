-- model.grain    = one row per page view of a visitor who is no robot
-- model.privacy  = restricted
-- model.reads    = event.page_view, event.excluded, frame.category
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = viewed_at | when the page was asked for | timestamp, UTC
-- model.column   = person | the visitor's pseudonym in the window | 64-bit number
-- model.column   = network | the network's pseudonym in the window | 64-bit number
-- model.column   = component | part of the site, one of the table's | code
-- model.column   = sub_component | part of the component, null where it has none | code
-- Rules may have changed since the line was read: what the table does not know goes to (other). Each pair of names is
-- placed once, then the page views join it.
with named as (
    select distinct
        component,
        sub_component
    from event.page_view
),

place as (
    select
        named.component as read_component,
        named.sub_component as read_sub_component,
        coalesce(component.component, '(other)') as component,
        coalesce(sub_component.sub_component, rest.sub_component) as sub_component
    from named
    left join frame.category as component
        on named.component = component.component and component.sub_component = '_T'
    left join frame.category as sub_component
        on component.component = sub_component.component and named.sub_component = sub_component.sub_component
    left join frame.category as rest
        on component.component = rest.component and rest.sub_component = '(other)'
)

select
    $event_date::date as event_date,
    event.viewed_at,
    event.person,
    event.network,
    place.component,
    place.sub_component
from event.page_view as event
left join place
    on event.component = place.read_component
    and event.sub_component is not distinct from place.read_sub_component
where event.person not in (select excluded.person from event.excluded as excluded)
