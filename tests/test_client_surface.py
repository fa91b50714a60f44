"""What the client offers: commands that do not collide, a help that has all, two clients that are alike."""

import inspect
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client import aio, session
from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import local
from safeum_home.client.slash import commands as commands
from safeum_home.client.slash.own import SECTIONS, help_lines
from safeum_home.client.slash.slash import SLASHES, slash
from safeum_home.errors import Code

GUIDE = (Path(__file__).parent.parent / "docs" / "client-guide.md").read_text()
WIRING = {
    *("connect", "received", "closed", "dial", "show_token", "online", "offline", "hang_up", "ended"),
    "asleep",
}
"""What `session.Client` is to its connection, not to programs; `aio.connect` connects."""

ATTRIBUTES = {"opened", "state"}
"""What `session.Client` has as attributes of the instance."""
_CODE = set(
    re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`\n]+`|^```python$.*?^```$", GUIDE, re.M | re.S)))
)


def _public(of: type) -> dict[str, object]:
    return {name: value for name, value in inspect.getmembers(of) if not name.startswith("_")}


class CommandTests(SynchronousTestCase):
    def test_a_name_that_is_taken_is_refused(self) -> None:
        """No command takes the place of another one, and what was there stays."""
        before = SLASHES["chat"]

        async def other(desk: Desk, argument: str) -> None:
            raise AssertionError

        self.assertRaises(ValueError, slash("chat", "", "something else"), other)
        self.assertIs(SLASHES["chat"], before)

    def test_help_has_every_command_in_one_line(self) -> None:
        """Each once, below what it is about, and no heading is without commands."""
        lines = help_lines()
        for command in SLASHES.values():
            self.assertEqual(
                [line for line in lines if line.split(" ")[0] == f"/{command.name}"],
                [f"{command.usage:19} {command.about}"],
            )
            self.assertNotIn("\n", command.usage + command.about)
        headings = [line for line in lines if line and not line.startswith("/")]
        self.assertEqual(headings, list(SECTIONS.values()))

    def test_the_guide_has_every_command(self) -> None:
        """Whoever reads docs/client-guide.md learns of all of them."""
        self.assertEqual([name for name in SLASHES if f"`/{name}" not in GUIDE], [])


class SdkTests(SynchronousTestCase):
    def test_a_refusal_as_text(self) -> None:
        """The code, and what is known of it: the detail, else what the code means."""
        self.assertEqual(str(local(Code.NOT_YOURS)), f"not_yours: {Code.NOT_YOURS.value.title}")
        self.assertEqual(str(local(Code.TOO_LARGE, "9 octets")), "too_large: 9 octets")

    def test_both_clients_have_every_method(self) -> None:
        """What one of them can the other can, with the same names of parameters."""
        twisted, asyncio = _public(session.Client), _public(aio.Client)
        self.assertEqual(set(twisted) - set(asyncio), WIRING)
        self.assertEqual(set(asyncio) - set(twisted), ATTRIBUTES)
        for name, method in asyncio.items():
            if inspect.isfunction(method):
                theirs = twisted[name]
                assert inspect.isfunction(theirs)
                mine, other = (inspect.signature(each).parameters for each in (method, theirs))
                if "options" not in mine:
                    self.assertEqual(list(mine), list(other), name)

    def test_every_method_says_what_it_does(self) -> None:
        """All that a program may call has a docstring."""
        bare = [
            f"{of.__module__}.{name}"
            for of in (session.Client, aio.Client)
            for name, value in _public(of).items()
            if name not in WIRING and inspect.isfunction(value) and not inspect.getdoc(value)
        ]
        self.assertEqual(bare, [])

    def test_the_guide_has_every_method(self) -> None:
        """docs/client-guide.md names each of them."""
        offered = {name for name, value in _public(session.Client).items() if inspect.isfunction(value)}
        self.assertEqual(sorted(offered - WIRING - _CODE), [])
