"""What is not what it was: the rows of two positions held against each other, old and new."""
