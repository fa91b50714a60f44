"""The node, Janus and Kamailio are killed in the midst of calls: the carrier is told, nobody pays twice."""

import csv
import time
from collections.abc import Callable

from tests.e2e.relay import until
from tests.e2e.telephones import RATE
from tests.test_e2e_safenum import WORLD, SafenumCase

SLACK = 2
"""Seconds by which what is measured here may be longer: what is killed is not told when."""


class KillTests(SafenumCase):
    def killed(self, kill: Callable[[], None], start: Callable[[], None], differs: str = "") -> str:
        """The carrier hears the end, and the record of the call, the ledger and the balance agree.

        So does what the edge has seen of it, but for what `differs`. Which call it was.
        """
        before, known = self.ada.do("balance")[0], len(self.records())
        carrier = self.trunk.answers()
        self.dial(self.ada)
        self.assertEqual(self.ada.do("reached", "active"), "active")
        answered = time.time()
        self.ada.do("wait", 3)
        killed = time.time()
        kill()
        try:
            self.over(carrier)
            ended = time.time()
        finally:
            start()
            self.world.until_up()
        self.ada.do("online")
        self.ada.do("ended")
        until(lambda: self.ada.do("balance")[1] == 0)
        [record] = self.records()[known:]
        self.assertEqual((record["b_number"], record["disposition"]), (WORLD, "ANSWERED"))
        seconds = int(record["billsec"])
        self.assertGreaterEqual(seconds, int(killed - answered) - 1)
        self.assertLessEqual(seconds, ended - answered + SLACK)
        paid = before - self.ada.do("balance")[0]
        self.assertEqual(paid, -(-seconds * RATE // 60), f"for {seconds} s")
        self.assertEqual(self.ada.do("paid")[0], [seconds, -paid])
        self.world.admin("ledger", "check")
        call = record["call_id"]
        until(lambda: {each["difference"] for each in self.cdr("reconcile", "--csv", call=call)} <= {differs})
        print(f"\n    the carrier knew {ended - killed:.1f} s afterwards", end=" ")
        return call

    def records(self) -> list[dict[str, str]]:
        """Of all calls of this month."""
        return self.cdr("export")

    def cdr(self, *what: str, call: str | None = None) -> list[dict[str, str]]:
        """What `safeum-home cdr` tells of this month, or of a call."""
        month = time.strftime("%Y-%m", time.gmtime())
        _, said = self.trunk.node.admin("cdr", *what, "--month", month)
        return [each for each in csv.DictReader(said.splitlines()) if call in (None, each["call_id"])]

    def test_node(self) -> None:
        """It is stored each second that a call goes on: the last is not paid, and the edge has seen it."""
        call = self.killed(self.trunk.node.kill, self.trunk.node.start, "talk time")
        for each in self.cdr("reconcile", "--csv", call=call):
            more = float(each["edge_talk_seconds"]) - float(each["talk_seconds"])
            self.assertTrue(0 < more <= SLACK, f"the edge has {more} s more")

    def test_janus(self) -> None:
        """The node knows at once that nobody is heard any more; the edge once it is there again."""

        def restart() -> None:
            self.trunk.janus.kill()
            self.trunk.janus.start()

        self.killed(restart, lambda: None, "talk time")

    def test_kamailio(self) -> None:
        """Sound goes on without it; the carrier is told once it is there again."""

        def restart() -> None:
            self.trunk.kamailio.kill()
            self.trunk.kamailio.start()
            self.ada.do("hang_up")

        self.killed(restart, lambda: None)
