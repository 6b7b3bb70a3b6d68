select
    days.payer, providers.branch, strftime(days.date, '%Y-%m') as month,
    count(*) as billable_days, count(distinct days.episode) as episodes, sum(days.rate) as dollars
from {{ ref('days') }} as days
left join {{ ref('providers') }} as providers on providers.provider = days.provider
where days.status = 'billable'
group by all
