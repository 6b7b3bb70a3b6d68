{# That no two rows have the same key, and that no part of a key is missing. #}
{% test names_one_row(model, columns) %}
    {% set key %}{% for name in columns %}"{{ name }}"{{ ", " if not loop.last }}{% endfor %}{% endset %}
    select {{ key }}, count(*) as rows_of_it
    from {{ model }}
    group by {{ key }}
    having count(*) > 1 {% for name in columns %}or "{{ name }}" is null {% endfor %}
{% endtest %}
