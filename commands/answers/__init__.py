"""Answers in: files of acknowledgements and remittances, matched to claims and recorded."""
