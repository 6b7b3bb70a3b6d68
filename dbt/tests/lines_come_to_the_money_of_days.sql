-- Lines are the billable days, packed: the same units and dollars of every payer, where both stand at one position.
with of_days as (
    select payer, count(*) as units, sum(rate) as dollars from {{ ref('days') }} where status = 'billable' group by payer
),
of_lines as (
    select payer, sum(units) as units, sum(expected) as dollars from {{ ref('lines') }} group by payer
)
select payer, of_days.units as days, of_lines.units, of_days.dollars as of_days, of_lines.dollars as of_lines
from of_days full join of_lines using (payer)
where (of_days.units, of_days.dollars) is distinct from (of_lines.units, of_lines.dollars)
    and (select count(distinct position) from {{ loads() }} where dataset in ('days', 'lines')) = 1
