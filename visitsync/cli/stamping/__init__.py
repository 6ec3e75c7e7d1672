"""Time stamps of the log's head: asking an authority, and checking what it answered."""
