"""The command `deepfake` and its sub-command `scan`."""
