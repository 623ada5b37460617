-- model.grain    = one row per identity_basis of one period
-- model.privacy  = confidential
-- model.reads    = usage.component_day
-- model.column   = identity_basis | what the visitors' pseudonyms rest on | account, cookie or address
-- model.column   = visitors | distinct persons of the whole site counted on this basis | persons
-- model.unique   = identity_basis
-- model.assert   = visitors >= 1
select
    identity_basis,
    count(distinct person)::bigint as visitors
from usage.component_day
where event_date between $first_date and $last_date and component = '_T'
group by identity_basis
order by identity_basis
