"""Episode Ledger, the past: what happened, and the payers' texts it is read against."""
