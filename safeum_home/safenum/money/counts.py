"""What was refused since the node was opened, counted: of whom is not told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from safeum_home.errors import Problem


class MoneyCounts:
    """`refused` is by what was asked for (a word) and the code of the refusal."""

    def __init__(self) -> None:
        self.refused: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def refusals(self, what: str) -> Iterator[None]:
        """What is refused inside is counted, and raised on."""
        try:
            yield
        except Problem as problem:
            self.refused[what, problem.code.code] += 1
            raise
