{# The files of an export, as its manifest lists them: no others count. #}

{% macro feed_manifest(dataset) %}
    {% set path = var('feed') ~ '/' ~ dataset ~ '/manifest.json' %}
    {% if not execute or run_query("select file from glob('" ~ path ~ "')").rows | length == 0 %}
        {{ return(none) }}
    {% endif %}
    {% set row = run_query(
        "select ledger, position, seal, since, code_version, schema_version, array_to_string([f.path for f in files], '|') as files"
        ~ " from read_json('" ~ path ~ "', columns = {ledger: 'VARCHAR', position: 'BIGINT', seal: 'VARCHAR', since: 'BIGINT',"
        ~ " code_version: 'VARCHAR', schema_version: 'VARCHAR', files: 'STRUCT(path VARCHAR)[]'})"
    ).rows[0] %}
    {% if row[5] != '1' %}
        {{ exceptions.raise_compiler_error(path ~ " is version " ~ row[5] ~ " of the feed, and these models are for version 1") }}
    {% endif %}
    {{ return({
        'ledger': row[0], 'position': row[1] | int, 'seal': row[2], 'since': row[3] | int(-1), 'code_version': row[4],
        'files': row[6].split('|') if row[6] else [],
    }) }}
{% endmacro %}


{% macro feed(dataset) %}
    {% set manifest = feed_manifest(dataset) %}
    {% set columns = feed_columns(dataset) %}
    {% if manifest and manifest.files %}
        select {% for name in columns %}"{{ name }}"{{ ", " if not loop.last }}{% endfor %}
        from read_parquet([
            {% for path in manifest.files %}'{{ var("feed") }}/{{ dataset }}/{{ path }}'{{ ", " if not loop.last }}{% endfor %}
        ], hive_partitioning = false)
    {% else %}
        select {% for name, type in columns.items() %}cast(null as {{ type }}) as "{{ name }}"{{ ", " if not loop.last }}{% endfor %}
        where false
    {% endif %}
{% endmacro %}


{# What has no changes of its own is loaded whole every time: without it the marts would be wrong, and quiet. #}
{% macro whole(dataset) %}
    {% if execute and not feed_manifest(dataset) %}
        {{ exceptions.raise_compiler_error("there is no export of " ~ dataset ~ " in " ~ var("feed")) }}
    {% endif %}
    select * from {{ ref('feed_' ~ dataset) }}
{% endmacro %}
