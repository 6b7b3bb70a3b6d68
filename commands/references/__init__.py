"""What recorded facts refer to, and whether anybody knows it: soft checks, which refuse nothing."""
