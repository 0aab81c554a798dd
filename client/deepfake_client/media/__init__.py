"""From a file to upright RGB frames."""
