"""How entries are decided and written: one path for all of them."""
