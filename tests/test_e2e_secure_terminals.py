"""Two people at terminals of their own, on a real node: they talk securely, compare, and are alarmed."""

import json
import os
import re
import select
import termios
from subprocess import PIPE
from time import monotonic
from typing import IO

from tests.client_node_case import PASSWORD, SAFEUM, SECONDS, NodeCase

ANN, BEN, ANOTHER = (
    "an elephant named Wilfred rows at noon",
    "some camel named Theodora paints at dusk",
    "many a herring named Ulysses sings in snow",
)
REDRAW = b"\x0c"
ROWS, COLUMNS = 40, 120
_STYLE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Seat:
    """Somebody at a terminal."""

    def __init__(self, screen: IO[bytes]) -> None:
        self._screen = screen
        self.shown = b""
        """All that was ever written to it."""
        termios.tcsetwinsize(screen.fileno(), (ROWS, COLUMNS))

    def type(self, line: str) -> None:
        self._screen.write(line.encode() + b"\r")

    def sees(self, *wanted: str) -> str:
        """What is on the screen once all of this is."""
        end, page = monotonic() + SECONDS, b""
        while monotonic() < end:
            # Only what changes is written: so all of it is asked for.
            self._screen.write(REDRAW)
            page = self._written()
            text = _STYLE.sub(b"", page).decode("utf-8", "replace")
            if all(words in text for words in wanted):
                return text
        raise AssertionError(f"{wanted} did not come, only {page[-4000:]!r}")

    def _written(self) -> bytes:
        """What comes within a moment."""
        page = b""
        while select.select([self._screen], [], [], 0.3)[0]:
            page += os.read(self._screen.fileno(), 65536)
        self.shown += page
        return page


class TerminalTests(NodeCase):
    def test_two(self) -> None:
        for login in ("ann", "ben"):
            self.register(login)
        with self.chat("--login", "ann") as (at_ann, ann_runs), self.chat("--login", "ben") as (at_ben, _):
            ann, ben = Seat(at_ann), Seat(at_ben)
            for who in (ann, ben):
                who.sees("Password")
                who.type(PASSWORD)
                who.sees("connected")
            ann.type("/add ben")
            ben.sees("asks to be your contact")
            ben.type("/accept ann")
            ann.sees("are contacts now")
            for who, passphrase in ((ann, ANN), (ben, BEN)):
                self.unlock(who, passphrase)
            ann.type("/secure ben")
            ben.sees("invites you into a secure chat of you two")
            ben.type("/accept ann")
            ann.sees("ben joined", "🔒 ben  not verified")
            ann.type("the meeting is at nine")
            ben.sees("ann the meeting is at nine")
            ben.type("/reply 1 and where?")
            ann.sees("↪ You: the meeting is at nine", "and where?")
            self.compare(ann, ben)
            self.change(ann, ben)
            ann.type("/lock")
            self.assertNotIn("the meeting", ann.sees("are locked", "[sealed: /unlock]"))
            ann.type("/quit")
            ann_runs.wait(SECONDS)
            for passphrase in (ANN, BEN, ANOTHER):
                self.assertNotIn(passphrase.encode(), ann.shown + ben.shown)
        self.pipe("ann")

    def pipe(self, login: str) -> None:
        """What was said is read by another program, which is given the passphrase by a descriptor."""
        read, write = os.pipe()
        with os.fdopen(write, "wb") as writing:
            writing.write(ANN.encode() + b"\n")
        where = ("--node", self.address, "--ca", str(self.ca), "--login", login)
        command = (*SAFEUM, "pipe", *where, "--passphrase-fd", str(read))
        pipe = self.start(*command, stdin=PIPE, stdout=PIPE, pass_fds=(read,))
        os.close(read)
        assert pipe.stdin is not None and pipe.stdout is not None
        pipe.stdin.write(f'{PASSWORD}\n{{"method":"chat.list","id":1}}\n'.encode())
        pipe.stdin.flush()
        listed = next(line for line in map(json.loads, pipe.stdout) if line.get("id") == 1)
        [chat] = [each["chat"] for each in listed["result"]["chats"] if each.get("group")]
        asked = {"method": "client.secure.items", "id": 2, "params": {"chat": chat}}
        pipe.stdin.write(json.dumps(asked).encode() + b"\n")
        pipe.stdin.flush()
        answer = next(line for line in map(json.loads, pipe.stdout) if line.get("id") == 2)
        said = [item["payload"]["text"] for item in answer["result"]["items"]]
        self.assertEqual(said, ["the meeting is at nine", "and where?", "is it you?"])

    def unlock(self, who: Seat, passphrase: str) -> None:
        """For the first time: it is chosen, and typed twice."""
        who.type("/unlock")
        who.sees("New passphrase")
        who.type(passphrase)
        who.sees("Strong enough", "Once more")
        who.type(passphrase)
        who.sees("Secure chats are unlocked")

    def compare(self, ann: Seat, ben: Seat) -> None:
        """Both see the same, and say so."""
        ann.type("/verify emoji")
        ben.sees("ann wants to compare emoji with you")
        ben.type("/verify emoji")
        seen = {re.findall(r"in numbers: [0-9 ]{14}", who.sees("in numbers: "))[0] for who in (ann, ben)}
        self.assertEqual(len(seen), 1)
        ann.type("/verify same")
        ben.type("/verify same")
        ann.sees("🔒✓ ben  verified")
        ben.sees("🔒✓ ann  verified")

    def change(self, ann: Seat, ben: Seat) -> None:
        """Another key is an alarm to the other one, and is used after a yes."""
        ann.type("/chat")
        ben.type("/lock")
        ben.sees("are locked")
        ben.type("/unlock new")
        ben.sees("Take another passphrase?")
        ben.type("yes")
        ben.sees("New passphrase")
        ben.type(ANOTHER)
        ben.sees("Once more")
        ben.type(ANOTHER)
        ben.sees("Unlocked, with another security key")
        ann.sees("⚠ /alarms  🔒⚠ ben: The security key of ben is said to be another one", "1 alarm ")
        ann.type("/secure ben")
        ann.sees("⚠ The security key of ben is said to be another one", "wait for you")
        ann.type("is it you?")
        ann.sees("is it you? …")
        ann.type("/verify accept")
        ann.sees("Did ben say, and not in writing")
        ann.type("yes")
        ann.sees("is it you? ✓", "not verified")
        ben.sees("ann is it you?")
