"""visitsync: one household timeline from five home-visit programs, under consent rules."""
