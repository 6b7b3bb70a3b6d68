"""Forgetting a patient: what goes, what was handed out, what is taken back."""
