"""What is handed to an auditor: one file that proves itself."""
