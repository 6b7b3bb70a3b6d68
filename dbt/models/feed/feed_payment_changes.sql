-- Made from projections/export/ by scripts/reference; do not edit.
{{ feed('payment_changes') }}
