"""What entries would change, or did: two states of the same patients side by side."""
