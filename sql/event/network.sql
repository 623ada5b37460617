-- model.grain    = one row per network
-- model.privacy  = restricted
-- model.reads    = event.visitor
-- model.column   = network | the network's pseudonym in the week | 64-bit number
-- model.column   = month_network | the same network's pseudonym in the month | 64-bit number
-- model.unique   = network
select
    network,
    any_value(month_network) as month_network
from event.visitor
group by network
