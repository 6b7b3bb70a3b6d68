"""Episode Ledger, the present: what the recorded facts mean now; made from them at any time."""
