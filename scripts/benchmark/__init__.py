"""What scripts/bench measures, how, and against what."""
