-- depends_on: {{ ref('feed_changes') }}
{{ kept('days') }}
