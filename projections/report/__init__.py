"""The report of a week: what was billed, held, claimed, and what it rests on."""
