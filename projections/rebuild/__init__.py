"""The read model made anew beside the live one, proven, or made with another book."""
