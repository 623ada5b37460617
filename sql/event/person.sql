-- model.grain    = one row per person
-- model.privacy  = restricted
-- model.reads    = event.visitor
-- model.column   = person | the visitor's pseudonym in the week | 64-bit number
-- model.column   = month_person | the same visitor's pseudonym in the month | 64-bit number
-- model.column   = identity_basis | what the pseudonyms rest on | account, cookie or address
-- model.unique   = person
-- The only place where week and month meet; what is made of it never holds both.
select
    person,
    any_value(month_person) as month_person,
    any_value(identity_basis) as identity_basis
from event.visitor
group by person
