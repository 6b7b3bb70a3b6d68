"""Whether a ledger is as it was recorded: seals, checkpoints, signatures, and the walk over all of it."""
