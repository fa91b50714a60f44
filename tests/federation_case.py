"""Two nodes that tell each other."""

from twisted.trial.unittest import SynchronousTestCase

from tests.federated import Node, Pair


class FederationCase(SynchronousTestCase):
    """Two nodes."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]

    def aside(self, node: Node) -> list[tuple[str, bool, str, str]]:
        """What a node has set aside."""
        found = node.database.now(lambda c: node.federation.rows.aside(c, 100))
        return sorted((each.name, each.ours, each.type, each.code) for each in found)

    def transactions(self) -> list[str]:
        """The numbers of those that were sent."""
        return [path.rpartition("/")[2] for _, _, method, path in self.pair.requests if method == "PUT"]

    def sent_more_than(self, count: int) -> bool:
        return len(self.transactions()) > count

    def logged(self, kind: type[Exception], count: int) -> None:
        self.assertEqual(len(self.flushLoggedErrors(kind)), count)


def all_told(node: Node) -> bool:
    return not node.waiting
