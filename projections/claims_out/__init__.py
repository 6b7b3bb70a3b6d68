"""Claims on their way out: what would go on them, what is missing, and what a file says of the patient."""
