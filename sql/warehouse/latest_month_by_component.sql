-- model.grain    = one row per component, of the latest month
-- model.privacy  = shareable
-- model.reads    = release.figures
-- model.column   = period | the latest released month (2026-11) | code
-- model.column   = first_date | first day of the month, reporting time zone | date
-- model.column   = last_date | last day of the month, reporting time zone | date
-- model.column   = component | part of the site, (other) what no rule names | code
-- model.column   = visitors_rank | 1 has the most visitors, among components with published figures, (other) left out | rank
-- model.column   = visitors | distinct visitors; not additive over components | persons
-- model.column   = reach | visitors here by all visitors of the site | share
-- model.column   = visits | visits; not additive over components | visits
-- model.column   = page_views | pages viewed by people | page views
-- model.column   = status | published, suppressed (withheld, not zero) or incomplete | code
-- model.unique   = component
-- model.assert   = (status = 'suppressed') = (visitors is null)
-- model.assert   = visitors_rank is null or visitors is not null
-- model.assert   = reach is null or reach between 0 and 1
with latest as (
    select
        figures.period,
        figures.first_date,
        figures.last_date,
        figures.component,
        figures.visitors,
        figures.visits,
        figures.page_views,
        figures.status
    from release.figures as figures
    where figures.period_kind = 'month' and figures.sub_component = '_T'
    qualify figures.first_date = max(figures.first_date) over ()
),

ranked as (
    select
        latest.component,
        rank() over (order by latest.visitors desc) as visitors_rank
    from latest
    where latest.component not in ('_T', '(other)') and latest.visitors is not null
)

select
    latest.period,
    latest.first_date,
    latest.last_date,
    latest.component,
    ranked.visitors_rank,
    latest.visitors,
    latest.visitors / nullif(everybody.visitors, 0) as reach,
    latest.visits,
    latest.page_views,
    latest.status
from latest
inner join latest as everybody on everybody.component = '_T'
left join ranked on latest.component = ranked.component
where latest.component <> '_T'
order by ranked.visitors_rank nulls last, latest.component
