{{ whole('rates') }}
