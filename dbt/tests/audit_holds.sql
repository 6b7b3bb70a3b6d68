{{ config(tags=['audit'], enabled=var('audit', false)) }}
{% set mart %}
    select reason, payer, sum(days)::bigint as days, (sum(dollars_waiting) * 100)::bigint as cents,
        sum(priced_days)::bigint as priced_days, min(first_date) as first_date
    from {{ ref('holds') }} group by reason, payer
{% endset %}
{{ differences(mart, report('holds', {
    'reason': 'VARCHAR', 'payer': 'VARCHAR', 'days': 'BIGINT', 'cents': 'BIGINT', 'priced_days': 'BIGINT', 'first_date': 'DATE',
})) }}
