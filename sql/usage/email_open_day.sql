-- model.grain    = one row per campaign, open_class, recipient of one day
-- model.privacy  = restricted
-- model.reads    = event.email_open
-- model.column   = campaign | the mailing, (other) for what has no name | code
-- model.column   = open_class | how the mail was opened, by the user agent | code
-- model.column   = recipient | the recipient's pseudonym in the month, null where requests name none | 64-bit number
-- model.column   = opens | answered requests for the mail's image | count
-- model.unique   = campaign, open_class, recipient
-- model.assert   = opens >= 1
-- A recipient is no visitor: nothing here can be joined to a person, and neither address, agent nor time is kept.
select
    campaign::varchar as campaign,
    open_class::varchar as open_class,
    recipient,
    count(*)::bigint as opens
from event.email_open
group by campaign, open_class, recipient
order by campaign, open_class, recipient
