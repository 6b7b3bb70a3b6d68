{{ whole('providers') }}
