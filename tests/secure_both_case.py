"""People whose programs are in Python and in JavaScript, in the same chats."""

import random

from safeum_home.client.secure import payloads
from safeum_home.client.secure.payloads import Payload
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import Program, SecureCase, account
from tests.secure_javascript import ForeignProgram, Process

TEXTS = ("Hi", "", "Zwölf Boxkämpfer", "日本語 👩‍👩‍👧", '\0\n"\\\x7f\u2028', "x" * 3000, "Ω" * 400)


class BothCase(SecureCase):
    """Programs in both languages."""

    def setUp(self) -> None:
        super().setUp()
        self.processes: list[Process] = []
        self.random = random.Random()
        seed = self.random.randrange(2**32)
        self.random.seed(seed)
        self.note = f"seed {seed}"

    def process(self) -> Process:
        process = Process()
        self.addCleanup(process.close)
        return process

    def add_foreign(self, number: int, peer: int | None = None) -> ForeignProgram:
        program = ForeignProgram(number, self.clock, self.process(), peer)
        for each in self.programs:
            each.knows(program.key)
            program.knows(each.key)
        self.programs.append(program)
        return program

    def payload(self) -> Payload:
        """Some payload."""
        hash = encode_octets(self.random.randbytes(32))
        text = self.random.choice(TEXTS) or "x"
        some: list[Payload] = [
            payloads.Text(text),
            payloads.Text(text, (account(1),), payloads.Reply(hash)),
            payloads.Reaction(hash, "👍"),
            payloads.Edit(hash, text, (account(0),)),
            payloads.Deletion((hash, hash)),
            payloads.File(
                "F" + "b" * 26,
                hash,
                hash,
                7,
                "Ä.ogg",
                "audio/ogg",
                "caption",
                b"\1\2\3\4",
                voice=payloads.Voice(100, b"\0\xff"),
            ),
            payloads.File("F" + "b" * 26, hash, hash, 7, "a.png", "image/png", width=3, height=4),
        ]
        return self.random.choice(some)


class ForeignBob(BothCase):
    """Bob's program is in JavaScript."""

    def add(self, number: int, peer: int | None = None, version: int = 0) -> Program:
        if number == 1 and not version:
            return self.add_foreign(number, peer)
        return super().add(number, peer, version)
