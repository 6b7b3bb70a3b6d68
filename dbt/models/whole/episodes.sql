{{ whole('episodes') }}
