"""What a person does with the book: fill in a file of it, and be told when the example stands in for one."""
