"""The words: types that cannot be wrong, shared by every room. Pure."""
