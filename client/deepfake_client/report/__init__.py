"""What was found, as a page to keep, and the words for people."""
