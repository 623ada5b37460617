-- model.grain    = one row per person, event_date
-- model.privacy  = restricted
-- model.reads    = event.conduct, event.page_view
-- model.column   = person | the visitor's pseudonym in the window | 64-bit number
-- model.column   = event_date | day in the reporting time zone | date
-- model.column   = asks_for_robots_txt | asked for the rules for robots | yes or no
-- model.column   = without_assets | viewed many pages and loaded no part of any, where others load them | yes or no
-- model.column   = rate | viewed more pages in one minute of the clock than a person can | yes or no
-- model.column   = error_share | made many requests, most of them in vain | yes or no
-- model.unique   = person, event_date
-- How many and what share is too much arrives as parameters; a day is judged as a whole, never across days.
with person_day as (
    select
        person,
        event_date,
        sum(requests) as requests,
        sum(page_views) as page_views,
        sum(assets) as assets,
        sum(errors) as errors,
        sum(asks_robots_txt) as asks_robots_txt
    from event.conduct
    group by person, event_date
),

asset_day as (
    -- Where assets come from elsewhere, or are not logged, nobody loads any: most readers of pages must.
    select
        event_date,
        count(*) filter (where assets > 0) > count(*) filter (where assets = 0) as are_logged
    from person_day
    where page_views > 0
    group by event_date
),

reader as (
    -- Who viewed no more pages in all day than one minute may hold needs no second look: nearly everybody.
    select
        person,
        event_date
    from event.page_view
    group by person, event_date
    having count(*) > $maximum_rate
),

view_minute as (
    select
        page_view.person,
        page_view.event_date,
        count(*) as page_views
    from event.page_view as page_view
    inner join reader using (person, event_date)
    group by page_view.person, page_view.event_date, date_trunc('minute', page_view.viewed_at)
),

busiest_minute as (
    select
        person,
        event_date,
        max(page_views) as page_views
    from view_minute
    group by person, event_date
)

select
    person,
    event_date,
    coalesce(person_day.asks_robots_txt, 0) > 0 as asks_for_robots_txt,
    coalesce(
        asset_day.are_logged and person_day.page_views >= $without_assets_from and person_day.assets = 0, false
    ) as without_assets,
    coalesce(busiest_minute.page_views, 0) > $maximum_rate as rate,
    coalesce(
        person_day.requests >= $error_share_from
        and person_day.errors > $maximum_error_share * person_day.requests,
        false
    ) as error_share
from person_day
full join busiest_minute using (person, event_date)
left join asset_day using (event_date)
order by event_date, person
