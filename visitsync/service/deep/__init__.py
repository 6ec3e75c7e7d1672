"""Everything that is stored, read: each row against its anchor, each sealed one opened."""
