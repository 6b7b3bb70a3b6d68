-- depends_on: {{ ref('feed_payment_changes') }}
{{ kept('payments') }}
