"""Open work: what is to be done about days, findings and holds, whose it is, and what it is worth."""
