-- What a day would pay: by an agreement of its provider that names a rate, else by its terms (docs/reference/report-numbers.md).
select
    days.reason, days.payer, providers.branch, strftime(days.date, '%Y-%m') as month,
    count(*) as days, count(distinct days.episode) as episodes,
    sum(coalesce(agreed.rate, terms.rate)) as dollars_waiting, count(coalesce(agreed.rate, terms.rate)) as priced_days,
    min(days.date) as first_date
from {{ ref('days') }} as days
left join {{ ref('providers') }} as providers on providers.provider = days.provider
left join {{ ref('rates') }} as terms
    on terms.payer = days.payer and terms.terms_from = days.terms_from and terms.terms_published = days.terms_published
    and terms.code is not distinct from days.code and terms.provider is null
left join {{ ref('rates') }} as agreed
    on agreed.payer = days.payer and agreed.terms_from = days.terms_from and agreed.terms_published = days.terms_published
    and agreed.code is not distinct from days.code and agreed.provider = days.provider
    and days.date between agreed."from" and coalesce(agreed."to", days.date)
where days.status = 'hold'
group by all
