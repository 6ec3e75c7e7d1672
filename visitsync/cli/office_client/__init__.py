"""An office's side of the HTTP interface."""
