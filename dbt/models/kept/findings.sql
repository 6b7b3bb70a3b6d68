-- depends_on: {{ ref('feed_finding_changes') }}
{{ kept('findings') }}
