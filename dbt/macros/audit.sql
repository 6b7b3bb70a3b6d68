{# What is kept, held against a whole export of the same position: the rows that only one of them has. #}
{% macro is_the_export(dataset) %}
    {% set whole, has = feed_manifest(dataset), loaded(dataset) if execute else none %}
    {% if execute and (not whole or (whole.ledger, whole.position, whole.seal) != (has.ledger, has.position, has.seal)) %}
        {{ exceptions.raise_compiler_error("export " ~ dataset ~ " at position " ~ has.position ~ " into " ~ var("feed") ~ " first") }}
    {% endif %}
    {{ differences("from " ~ ref(dataset), feed(dataset)) }}
{% endmacro %}


{# The report's own numbers, as "episode-ledger report --format json" printed them into a file of the feed's folder. #}
{% macro report(section, columns) %}
    select {% for name, type in columns.items() %}{{ name }}{{ ", " if not loop.last }}{% endfor %}
    from read_json('{{ var("feed") }}/report.jsonl', format = 'newline_delimited', columns = {
        section: 'VARCHAR', {% for name, type in columns.items() %}{{ name }}: '{{ type }}'{{ ", " if not loop.last }}{% endfor %}
    }) where section = '{{ section }}'
{% endmacro %}


{# The rows that only one of them has: the warehouse, or the house with its export or report. #}
{% macro differences(one, other) %}
    with one as ({{ one }}), other as ({{ other }})
    (select 'warehouse' as only_in, * from (from one except all from other))
    union all
    (select 'house', * from (from other except all from one))
{% endmacro %}
