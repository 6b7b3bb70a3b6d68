-- depends_on: {{ ref('feed_claimed_changes') }}
{{ kept('claimed') }}
