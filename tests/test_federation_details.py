"""What is wrong with an event that is refused is said, where that says nothing of who refuses it."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.federation_cli import _aside
from safeum_home.admin.federation_wire import AsideRow
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.transactions import MOST_DETAIL, received_in
from tests.federated import Pair


class DetailTests(SynchronousTestCase):
    def test_told(self) -> None:
        """To the node that has sent it, in ASCII, and not too long; only where it is of the event alone."""
        pair = Pair()
        a, b = pair["a.example"], pair["b.example"]
        problems = [
            Problem(Code.MALFORMED_EVENT, "no field `at`\x1b[2J \u20ac"),
            Problem(Code.MALFORMED_EVENT, "x" * 500),
            Problem(Code.NOT_A_CONTACT, "Bob has blocked her"),
        ]

        def applying(event: Event) -> None:
            raise problems[event.content["value"]]

        for kind in b.kinds:
            kind.applying = applying
        for value in range(3):
            a.say(str(value), value)
        pair.until(lambda: not a.waiting)
        found = a.database.now(lambda c: a.federation.rows.aside(c, 9))
        told = {each.detail for each in found if not each.ours}
        self.assertEqual(told, {"no field `at`?[2J ?", "x" * MOST_DETAIL, ""})
        [shown] = {_aside(AsideRow(*each)) for each in found if each.detail.startswith("no")}
        self.assertTrue(shown.endswith("malformed_event  no field `at`?[2J ?"))

    def test_not_plain(self) -> None:
        """An answer with anything else in it is none: an operator is shown it."""
        answer = b'{"received":1,"refused":[{"index":0,"code":"malformed_event","detail":"%b"}]}'
        self.assertIsNotNone(received_in(answer % b"no field"))
        for detail in (b"\\u001b[2J", b"\\n", b"x" * (MOST_DETAIL + 1), "\u20ac".encode()):
            self.assertIsNone(received_in(answer % detail))
