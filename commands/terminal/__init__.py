"""What the commands share at a terminal: options, tables, progress, questions."""
