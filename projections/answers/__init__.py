"""What came back for claims: where each claim stands, and what each claimed day was paid."""
