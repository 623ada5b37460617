-- model.grain    = one row per period, campaign, open_class
-- model.privacy  = shareable
-- model.reads    = release.email_opens
-- model.column   = period | month (2026-11) | code
-- model.column   = period_kind | always month | code
-- model.column   = first_date | first day of the month, reporting time zone | date
-- model.column   = last_date | last day of the month, reporting time zone | date
-- model.column   = campaign | the mailing, (other) for all without a name | code
-- model.column   = open_class | how the mail was opened, by the user agent; privacy_prefetch says nothing of readers | code
-- model.column   = recipients | distinct recipients; not additive over campaigns, classes or periods | recipients
-- model.column   = opens | answered requests for the mail's image, those that name no recipient too | opens
-- model.column   = status | published, or suppressed (too few recipients, or none) | code
-- model.unique   = period, campaign, open_class
-- model.assert   = (status = 'suppressed') = (recipients is null) and (recipients is null) = (opens is null)
select
    period,
    period_kind,
    first_date,
    last_date,
    campaign,
    open_class,
    recipients,
    opens,
    status
from release.email_opens
order by period, campaign, open_class
