-- What was answered is not here: give_back has what was paid of it.
-- A claimed day is of the branch that its day goes under; where there is no such day any more, of its episode's.
select
    claimed.payer, coalesce(providers.branch, episodes.branch) as branch, claimed.kind,
    strftime(claimed.date, '%Y-%m') as month,
    count(*) as days, count(distinct (claimed.episode, claimed.claim)) as claims,
    sum(claimed.exposure) as dollars, min(claimed.repay_by) as first_repay_by
from {{ ref('claimed') }} as claimed
left join {{ ref('days') }} as days
    on days.patient = claimed.patient and days.episode = claimed.episode and days.date = claimed.date
left join {{ ref('providers') }} as providers on providers.provider = days.provider
left join {{ ref('episodes') }} as episodes on episodes.episode = claimed.episode
where claimed.kind in ('overclaimed', 'changed') and claimed.paid is null
group by all
