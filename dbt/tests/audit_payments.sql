{{ config(tags=['audit'], enabled=var('audit', false)) }}
{{ is_the_export('payments') }}
