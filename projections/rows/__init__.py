"""Rows of days, lines and findings: what is derived of one patient."""
