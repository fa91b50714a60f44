"""What ends a case at once."""


class Failure(Exception):
    """A measurement that cannot be trusted: something was lost, doubled, refused or late."""
