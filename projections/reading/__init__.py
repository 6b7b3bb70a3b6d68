"""Patients and episodes read out of the ledger, as known at an instant or a position."""
