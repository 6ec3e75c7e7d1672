"""What commands print with: tables or JSON on stdout, everything else on stderr."""
