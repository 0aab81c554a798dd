"""Media in, Result out."""
