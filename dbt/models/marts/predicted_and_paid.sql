-- A day that stands on several claims is expected once for each that is live; money came for whatever claim it came for.
select
    payments.payer, coalesce(providers.branch, episodes.branch) as branch, strftime(payments.date, '%Y-%m') as month,
    count(*) filter (where payments.live) as claimed_days,
    coalesce(sum(payments.expected) filter (where payments.live), 0) as expected,
    coalesce(sum(payments.expected) filter (where payments.live and payments.status in ('unpaid', 'reversed')), 0) as awaited,
    sum(payments.paid) as paid,
    sum(payments.patient_owes) as patient_owes,
    coalesce(sum(payments.allowed - payments.expected) filter (where payments.live and payments.answered), 0) as beyond_expected,
    sum(payments.to_give_back) as to_give_back,
    count(*) as days, sum(payments.missing) as missing,
    coalesce(sum(payments.paid) filter (where payments.expected is null), 0) as paid_otherwise
from {{ ref('payments') }} as payments
left join {{ ref('days') }} as days
    on days.patient = payments.patient and days.episode = payments.episode and days.date = payments.date
left join {{ ref('providers') }} as providers on providers.provider = days.provider
left join {{ ref('episodes') }} as episodes on episodes.episode = payments.episode
group by all
