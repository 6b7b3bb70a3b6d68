"""How spreadsheets come in: their rows, by a mapping, become lines as the door takes them."""
