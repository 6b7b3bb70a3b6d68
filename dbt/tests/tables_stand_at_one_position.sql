-- Numbers of several tables belong together only at one position: export again what lags behind.
{{ config(severity='warn') }}
-- depends_on: {{ ref('days') }} {{ ref('lines') }} {{ ref('findings') }} {{ ref('claimed') }} {{ ref('payments') }}
select dataset, ledger, position, seal from {{ loads() }}
where (select count(distinct (ledger, position)) from {{ loads() }}) > 1
