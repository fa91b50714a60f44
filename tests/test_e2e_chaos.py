"""A minute in which links break and nodes are killed: afterwards all chats are the same everywhere."""

import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos import network
from tests.chaos.keys import Heard, Keys, key_faults
from tests.chaos.network import alone, impossible
from tests.chaos.plan import Cut, new_plan
from tests.chaos.said import DELETED, Said, Saying, Shown, View, faults
from tests.e2e.needs import root, tool

SEED = 1
SECONDS = 60
PATIENCE = 480.0
NODES = ("a", "b", "c")


class PlanTests(SynchronousTestCase):
    """What goes wrong."""

    def test_again(self) -> None:
        """The same seed gives the same, and another one does not."""
        self.assertEqual(new_plan(1, NODES, 60), new_plan(1, NODES, 60))
        self.assertNotEqual(new_plan(1, NODES, 60), new_plan(2, NODES, 60))

    def test_plan(self) -> None:
        """One way, both ways and a node alone are cut, each node is killed, and in the end all is whole."""
        plan = new_plan(SEED, NODES, SECONDS)
        self.assertEqual({len(cut.edges) for cut in plan.cuts}, {1, 2, 4}, list(plan.lines()))
        self.assertEqual({kill.node for kill in plan.kills}, set(NODES))
        self.assertEqual(plan.cut_at(SECONDS), frozenset())
        self.assertLessEqual(max(each.ends for each in plan.all()), SECONDS)
        self.assertEqual(len(list(plan.lines())), len(plan.cuts) + len(plan.kills))

    def test_cut_at(self) -> None:
        """Links are cut while any cut of theirs lasts."""
        one, both = frozenset({("a", "b")}), frozenset({("a", "b"), ("b", "a")})
        plan = new_plan(1, NODES, 60)._replace(cuts=(Cut(1, 4, one), Cut(2, 3, both)))
        seen = [len(plan.cut_at(moment)) for moment in (0.5, 1, 2, 3, 4)]
        self.assertEqual(seen, [0, 1, 2, 1, 0])


class FaultTests(SynchronousTestCase):
    """What the run looks for is found where it is."""

    def setUp(self) -> None:
        self.said: Said = {
            ("!", "ada"): [Saying(f"ada {n}", {f"ada {n}"}) for n in range(3)],
            ("!", "ben"): [Saying("ben 0", {"ben 0", DELETED})],
        }
        self.shown = [Shown(f"{n}", "ada", f"ada {n}") for n in range(3)] + [Shown("3", "ben", "ben 0")]

    def faults(self, *other: Shown, heard: str = "012", one_order: bool = True) -> list[str]:
        """Where ada sees what is to be, and ben something else."""
        mine = View("ada", self.shown, ["3"])
        return faults("!", [mine, View("ben", other or self.shown, list(heard))], self.said, one_order)

    def found(self, text: str, *other: Shown, heard: str = "012", one_order: bool = True) -> None:
        found = self.faults(*other, heard=heard, one_order=one_order)
        self.assertTrue(any(text in each for each in found), found)

    def test_none(self) -> None:
        """All is well; also where what two write at once stands the other way round, without a hub."""
        a, b, c, d = self.shown
        self.assertEqual(self.faults(), [])
        self.assertEqual(self.faults(a, d, b, c, one_order=False), [])

    def test_each(self) -> None:
        """Lost, doubled, made up, another text, another order, other reactions, another order of all."""
        a, b, c, d = self.shown
        self.found("'ada 1' is lost", a, c, d, heard="02")
        self.found("'ada 1' is there 2 times", a, b, b._replace(id="4"), c, d, heard="0142")
        self.found("'eve 0' was never said", a, b, c, d, Shown("5", "eve", "eve 0"), heard="0125")
        self.found("'ada x' where ['ada 1'] should be", a, b._replace(state="ada x"), c, d)
        self.found("'(deleted)' where ['ada 1'] should be", a, b._replace(state=DELETED), c, d)
        self.found("'ada 2' where ['ada 1'] should be", a, c, b, d, heard="021", one_order=False)
        self.found("do not see the same", a, b._replace(reactions=(("x", 1),)), c, d)
        self.found("do not see the same", a, b, d, c)

    def test_same_fault_everywhere(self) -> None:
        """What all lack is lost as well."""
        short = [each for each in self.shown if each.id != "1"]
        views = [View("ada", short, ["3"]), View("ben", short, ["0", "2"])]
        self.assertEqual(len(faults("!", views, self.said, one_order=True)), 2)

    def test_told(self) -> None:
        """A device is told each message of others once, in its order."""
        self.found("1 missing", heard="02")
        self.found("1 twice", heard="0112")
        self.found("another order", heard="021")
        self.found("1 that are not there", heard="0129")

    def test_keys(self) -> None:
        """Who was not told of a change, or twice, or not in order, is found, and nobody else."""
        ada, ben = (Keys.__new__(Keys) for _ in range(2))
        changes = [("1", "2"), ("2", "3")]
        for keys, account, hashes in ((ada, "@ada", ["1", "2", "3"]), (ben, "@ben", ["9"])):
            keys.account, keys.hashes, keys.heard = account, hashes, {"@ada": list(changes)}
        names = [("ada", ada), ("ben", ben)]
        self.assertEqual(key_faults(names), [])
        wrong: list[Heard] = [
            {},
            {"@ada": changes[:1]},
            {"@ada": changes[::-1]},
            {"@ada": [*changes, changes[1]]},
        ]
        for ben.heard in wrong:
            self.assertEqual(len(key_faults(names)), 1)
        ben.heard = {"@ada": changes, "@ben": [("8", "9")]}
        self.assertEqual(len(key_faults(names)), 1)

    def test_in_doubt(self) -> None:
        """Of a change that nobody knows of either may be, but the same everywhere."""
        a, b, c, d = self.shown
        gone = d._replace(state=DELETED)
        self.assertEqual(len(self.faults(a, b, c, gone)), 1)
        views = [View("ada", [a, b, c, gone], ["3"]), View("ben", [a, b, c, gone], list("012"))]
        self.assertEqual(faults("!", views, self.said, one_order=True), [])


class ChaosTests(SynchronousTestCase):
    """The run itself, in namespaces."""

    def test_not_permitted(self) -> None:
        """Where namespaces cannot be had, why is said; the run is skipped then, also where CI=true."""
        self.patch(network, "alone", lambda *_: ["sh", "-c", "echo no such thing >&2; exit 1"])
        self.assertEqual(network.impossible(), "namespaces are not permitted here: no such thing")

    def test_a_minute(self) -> None:
        """Afterwards every chat is the same everywhere; nothing is lost, doubled or out of order."""
        root("have namespaces")
        for name, package in (("ip", "iproute2"), ("iptables", "iptables"), ("nsenter", "util-linux")):
            tool(name, package)
        if (reason := impossible()) is not None:
            raise SkipTest(reason)
        command = alone(sys.executable, "-m", "tests.chaos", "--inside", str(SECONDS), str(SEED))
        folder = Path(__file__).parent.parent
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        self.assertEqual(done.returncode, 0, f"\n{done.stdout[-16000:]}{done.stderr[-4000:]}")
        print(f"\n    {done.stdout.splitlines()[-2]}", end=" ")
