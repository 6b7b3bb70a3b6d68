"""A ledger by its name alone, wherever it is: how it is named, its entries as they are stored, and its proof."""
