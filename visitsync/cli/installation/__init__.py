"""An installation as the host's own commands reach it: its settings, its city, its people."""
