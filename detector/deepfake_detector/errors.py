"""What can be wrong with a bundle."""


class BundleError(Exception):
    """One sentence for people: which file or key is wrong, and what to do."""
