"""How a person records: with the effect said, rehearsed first, one thing at a time."""
