{{ config(tags=['audit'], enabled=var('audit', false)) }}
{% set mart %}
    select payer, month, sum(billable_days)::bigint as billable_days, (sum(dollars) * 100)::bigint as cents
    from {{ ref('billable_by_month') }} group by payer, month
{% endset %}
{{ differences(mart, report('billed', {'payer': 'VARCHAR', 'month': 'VARCHAR', 'billable_days': 'BIGINT', 'cents': 'BIGINT'})) }}
