"""A file from one real node to another, over TLS, while clients are cut off and both nodes are killed."""

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.certificates import Authority
from tests.e2e.file_across import Trial
from tests.e2e.node_process import NodeProcess

SIZE = 64 * 2**20
MOST_GROWTH = 16 * 2**20


class FileAcrossTests(TestCase):
    """What `python -m tests.e2e.file_across` does with 1 GiB, with less."""

    timeout = 240

    async def test_down(self) -> None:
        """It arrives as it was, though both nodes die in the middle of it, and their memory hardly grows."""
        authority = Authority()
        origin, own = NodeProcess(authority=authority), NodeProcess(authority=authority)
        for node in (origin, own):
            self.addCleanup(node.close)
            await deferToThread(node.start)
        figures = await Trial(reactor, origin, own, authority, SIZE).run()
        print(f"\n    {figures} ", end="")
        self.assertEqual(figures.cuts, 1)
        for killed_at in (figures.origin_killed_at, figures.own_killed_at):
            self.assertTrue(0 < killed_at < SIZE, killed_at)
        self.assertLess(figures.origin_growth, MOST_GROWTH)
        self.assertLess(figures.own_growth, MOST_GROWTH)
