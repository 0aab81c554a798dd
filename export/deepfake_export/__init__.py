"""From a bundle of trained files to a Triton model repository."""
