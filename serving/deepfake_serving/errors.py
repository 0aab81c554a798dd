"""What can go wrong around the server."""


class ServingError(Exception):
    """The server can't be started or kept alive; a sentence for an operator, with what to do or what the log says."""
