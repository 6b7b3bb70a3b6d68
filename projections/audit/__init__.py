"""What was known, claimed and restated when: replay, differences, closed months."""
