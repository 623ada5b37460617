-- model.grain    = one row per campaign, open_class of one month
-- model.privacy  = confidential
-- model.reads    = usage.email_open_day
-- model.column   = campaign | the mailing, (other) for what has no name | code
-- model.column   = open_class | how the mail was opened, by the user agent | code
-- model.column   = recipients | distinct recipients whose mail was opened so | recipients
-- model.column   = opens | answered requests for the mail's image | opens
-- model.column   = opens_without_recipient | those of them that name no recipient | opens
-- model.unique   = campaign, open_class
-- model.assert   = recipients >= 0 and opens >= recipients and opens >= opens_without_recipient
-- No total over campaigns or classes: a recipient may be in several, and nothing must be left by subtraction.
select
    campaign,
    open_class,
    count(distinct recipient)::bigint as recipients,
    sum(opens)::bigint as opens,
    coalesce(sum(opens) filter (where recipient is null), 0)::bigint as opens_without_recipient
from usage.email_open_day
group by campaign, open_class
order by campaign, open_class
