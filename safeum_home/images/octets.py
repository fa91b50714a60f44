"""Reading octets in order, never past their end."""


class Damaged(Exception):
    """This is not a well-formed picture; the text says why, and holds nothing of the picture."""


class Moving(Exception):
    """The picture is animated."""


class Reader:
    """`take` raises `Damaged` where less is left than is asked for."""

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    @property
    def left(self) -> int:
        return len(self._data) - self.at

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        if count > self.left:
            raise Damaged("it ends too early")
        start, self.at = self.at, self.at + count
        return self._data[start : self.at]


def need(condition: bool, why: str) -> None:
    """Raise `Damaged` unless `condition`."""
    if not condition:
        raise Damaged(why)
