"""Files of claims and answers as they travel: X12 in and out of segments. Loops, segments and elements by number."""
