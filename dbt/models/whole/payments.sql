{{ whole('payments') }}
