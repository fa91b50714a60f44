"""Says once that the store of files fails, and once that it works again."""

from twisted.logger import Logger

_log = Logger()


class StoreOutage:
    """Told of each attempt, on the reactor's thread."""

    def __init__(self) -> None:
        self.reason: str | None = None
        """Why the last attempt failed; None where it did not."""

    def failed(self, error: Exception) -> None:
        """The store could not do something."""
        reason = reason_of(error)
        if reason != self.reason:
            self.reason = reason
            _log.error("The store of files fails: {reason}.", reason=reason)

    def works(self) -> None:
        """It could."""
        if self.reason is not None:
            self.reason = None
            _log.info("The store of files works again.")


def reason_of(error: Exception) -> str:
    """What the log says of a failure: no path, and no name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
