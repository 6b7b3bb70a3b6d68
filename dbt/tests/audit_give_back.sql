{{ config(tags=['audit'], enabled=var('audit', false)) }}
{% set mart %}
    select payer, kind, sum(days)::bigint as days, (sum(dollars) * 100)::bigint as cents, min(first_repay_by) as first_repay_by
    from {{ ref('give_back') }} group by payer, kind
{% endset %}
{{ differences(mart, report('give_back', {
    'payer': 'VARCHAR', 'kind': 'VARCHAR', 'days': 'BIGINT', 'cents': 'BIGINT', 'first_repay_by': 'DATE',
})) }}
