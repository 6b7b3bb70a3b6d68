"""A made-up year of home infusion: episodes, the trouble planted in them, and the book they are read against."""
