"""From labelled pictures to a bundle."""
