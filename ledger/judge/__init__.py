"""What a day is: the numbered steps of the rulebook, what they read, and what follows from them."""
