{# A dataset kept up to date: loaded whole once, from then on by its changes. Which position a table stands at is written
   in the transaction that brings it there, in the table "loads": a load is whole or did not happen. #}

{% macro loads() %}{{ target.schema }}.loads{% endmacro %}


{% macro lay_loads() %}
    create table if not exists {{ loads() }} (
        dataset varchar, ledger varchar, position bigint, seal varchar, code_version varchar
    )
{% endmacro %}


{% macro loaded(dataset) %}
    {% if not execute %}{{ return(none) }}{% endif %}
    {% set found = run_query("select ledger, position, seal, code_version from " ~ loads() ~ " where dataset = '" ~ dataset ~ "'").rows %}
    {% if found | length == 0 %}{{ return(none) }}{% endif %}
    {{ return({'ledger': found[0][0], 'position': found[0][1] | int, 'seal': found[0][2], 'code_version': found[0][3]}) }}
{% endmacro %}


{# The manifest of what is to be taken in; none if nothing is. An error if it does not go on from what is kept. #}
{% macro next_load(dataset) %}
    {% if not execute %}{{ return(none) }}{% endif %}
    {% set has, more = loaded(dataset), feed_manifest(changes_of(dataset)) %}
    {% if not has or not more or (more.position, more.seal) == (has.position, has.seal) %}{{ return(none) }}{% endif %}
    {% if (more.ledger, more.since) != (has.ledger, has.position) or has.code_version.split('/')[1:] != more.code_version.split('/')[1:] %}
        {{ exceptions.raise_compiler_error(
            dataset ~ " stand at position " ~ has.position ~ " of ledger " ~ has.ledger ~ " (" ~ has.code_version ~ "), and "
            ~ changes_of(dataset) ~ " lead from " ~ more.since ~ " to " ~ more.position ~ " of " ~ more.ledger ~ " ("
            ~ more.code_version ~ "): export them since " ~ has.position ~ ", or load everything anew with --full-refresh"
        ) }}
    {% endif %}
    {{ return(more) }}
{% endmacro %}


{% macro kept(dataset) %}
    {% set columns, changed = feed_columns(dataset), feed_columns(changes_of(dataset)) %}
    {% if not is_incremental() %}
        {{ whole(dataset) }}
    {% else %}
        select
        {% for name in columns %}
            "{{ 'new_' ~ name if 'new_' ~ name in changed else name }}" as "{{ name }}"{{ ", " if not loop.last }}
        {% endfor %}
        from {{ ref('feed_' ~ changes_of(dataset)) }}
        where {{ "kind <> 'retract'" if next_load(dataset) else "false" }}
    {% endif %}
{% endmacro %}


{# Before the rows as they are now are put in, those that are not so any more are taken away; in one transaction. #}
{% macro take_away_what_changed(dataset) %}
    {% if not is_incremental() %}
        delete from {{ loads() }} where dataset = '{{ dataset }}'
    {% elif next_load(dataset) %}
        delete from {{ this }} as kept using {{ ref('feed_' ~ changes_of(dataset)) }} as changed
        where {% for name in feed_key(dataset) %}kept."{{ name }}" = changed."{{ name }}"{{ " and " if not loop.last }}{% endfor %}
    {% endif %}
{% endmacro %}


{% macro note_load(dataset) %}
    {% set made = next_load(dataset) if loaded(dataset) else feed_manifest(dataset) %}
    {% if made %}
        delete from {{ loads() }} where dataset = '{{ dataset }}';
        insert into {{ loads() }} values (
            '{{ dataset }}', '{{ made.ledger }}', {{ made.position }}, '{{ made.seal }}', '{{ made.code_version }}'
        );
    {% endif %}
{% endmacro %}


{# What "episode-ledger export" is told to go on from where the warehouse stands:
   dbt --quiet run-operation resume --args '{dataset: days}' #}
{% macro resume(dataset) %}
    {% set laid = run_query("select 1 from duckdb_tables() where table_name = 'loads'").rows %}
    {% set has = loaded(dataset) if laid | length else none %}
    {% if has %}
        {{ print("--since " ~ has.position ~ " --seal " ~ has.seal ~ " --code-version " ~ has.code_version) }}
    {% endif %}
{% endmacro %}
