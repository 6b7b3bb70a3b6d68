"""A ledger's entries as files that never change, wherever they may lie: what an engine of many machines reads."""
