"""How a ledger is doing: status, health, the work list, search."""
