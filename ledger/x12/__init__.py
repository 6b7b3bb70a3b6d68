"""X12: claims as they leave in 837P files, and what comes back. Nothing else in the house knows a loop or a segment."""
