-- depends_on: {{ ref('feed_line_changes') }}
{{ kept('lines') }}
