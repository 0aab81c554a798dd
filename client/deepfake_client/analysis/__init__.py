"""One file from frames to a Result, by a Triton."""
