"""Episode Ledger, the imperative: what may be asked, how it is decided, and the ways to ask it."""
