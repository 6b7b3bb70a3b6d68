{{ config(tags=['audit'], enabled=var('audit', false)) }}
{% set mart %}
    select payer, month, sum(days)::bigint as days, (sum(expected) * 100)::bigint as predicted_cents,
        (sum(awaited) * 100)::bigint as open_cents, (sum(paid - paid_otherwise) * 100)::bigint as paid_cents,
        (sum(patient_owes) * 100)::bigint as patient_cents, (sum(missing) * 100)::bigint as missing_cents,
        (sum(to_give_back) * 100)::bigint as give_back_cents, (sum(paid_otherwise) * 100)::bigint as other_cents
    from {{ ref('predicted_and_paid') }} group by payer, month
{% endset %}
{{ differences(mart, report('paid', {
    'payer': 'VARCHAR', 'month': 'VARCHAR', 'days': 'BIGINT', 'predicted_cents': 'BIGINT', 'open_cents': 'BIGINT',
    'paid_cents': 'BIGINT', 'patient_cents': 'BIGINT', 'missing_cents': 'BIGINT', 'give_back_cents': 'BIGINT', 'other_cents': 'BIGINT',
})) }}
