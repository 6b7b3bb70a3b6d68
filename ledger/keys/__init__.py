"""Keys of encrypted ledgers: how texts are locked, and where the keys are kept."""
