"""All who talk on a node, and what becomes of what they wrote."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import history, resume
from tests.e2e.talk import Talker, faults, talkers


class Crowd:
    """Pairs of people who write to each other."""

    def __init__(self, node: NodeProcess, pairs: int) -> None:
        self.node = node
        self.pairs = talkers(node, pairs)
        self.everybody = [talker for pair in self.pairs for talker in pair]
        self._running: list[Future[None]] = []

    def talk(self, meanwhile: Callable[[], None]) -> None:
        """Everybody writes and listens until the connections end, or `finish` was called and all is done."""
        self._each(Talker.run, meanwhile)

    def finish(self) -> None:
        """No more is written: everybody gets everything answered and hears everything."""
        for talker in self.everybody:
            talker.finishing.set()
        for left, right in self.pairs:
            left.expected, right.expected = right.written, left.written

    def go_on(self) -> None:
        """Write again."""
        for talker in self.everybody:
            talker.finishing.clear()

    def listen(self) -> None:
        """Everybody comes back, hears what was missed and sends nothing."""
        self._each(Talker.listen)

    def wait_for_progress(self) -> None:
        """Until something of everybody was acknowledged, from now on."""
        for talker in self.everybody:
            talker.progress.clear()
        self.until(lambda talker: talker.progress.is_set())

    def until(self, happened: Callable[[Talker], bool]) -> None:
        """Until something has happened to everybody."""
        deadline = time.monotonic() + PATIENCE
        while not all(happened(talker) for talker in self.everybody):
            for one in self._running:
                if one.done():
                    one.result()
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not happen:\n{self.node.logged()[-4000:]}")
            time.sleep(0.002)

    def faults(self, in_order: bool = True) -> list[str]:
        """What is lost, doubled or wrong in any chat: an empty list, please."""
        found: list[str] = []
        for left, right in self.pairs:
            with resume(self.node, left.person) as client:
                found += faults(history(client, left.chat), left, right, in_order)
        return found

    def acknowledged(self) -> int:
        return sum(len(talker.acknowledged) for talker in self.everybody)

    def unanswered(self) -> int:
        return sum(len(talker.unanswered) for talker in self.everybody)

    def _each(
        self, part: Callable[[Talker, NodeProcess], None], meanwhile: Callable[[], None] | None = None
    ) -> None:
        with ThreadPoolExecutor(len(self.everybody)) as threads:
            self._running = [threads.submit(part, talker, self.node) for talker in self.everybody]
            try:
                if meanwhile is not None:
                    meanwhile()
            except BaseException:
                # Or they would be waited for, and talk for ever.
                self.node.kill()
                raise
            for one in self._running:
                one.result(PATIENCE)
