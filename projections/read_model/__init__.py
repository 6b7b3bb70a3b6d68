"""The rows on disk: their tables, generations and questions, and how they catch up."""
