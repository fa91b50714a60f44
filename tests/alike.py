"""What must not tell whether somebody has an account: the same question about known and unknown people.

`tests.test_accounts_alike` compares what the node does and answers, step by step; `make timing` compares how
long it takes.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec
from nacl.pwhash import argon2id

from safeum_home.accounts.own_record import replace_hash
from safeum_home.config import PasswordSection
from tests.number_case import DAY
from tests.world import CONSENT, LAPTOP, PASSWORD, Client, Refused, World
from tests.world_connection import Connection

PEOPLE = 40
"""So many there are, and so many there are not."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One question: `connection` has asked nothing yet, and is sent `payload`."""

    connection: Connection
    payload: bytes

    def run(self) -> bytes:
        """Ask; the answer."""
        self.connection.session.received(self.payload)
        return msgspec.json.encode(self.connection.written)


class Crowd:
    """A node with people: those of even numbers have accounts, those of odd numbers have none."""

    def __init__(self, empty: bool = False) -> None:
        self.world = World()
        self._ids = count()
        self.moved: list[str] = []
        if not empty:
            self._settle()

    def _settle(self) -> None:
        for number in range(0, 2 * PEOPLE, 2):
            self.world.register(login(number))
            self._sign_up(mobile(number))
        for number in range(0, 6, 2):
            self.moved.append(self._move(mobile(200 + number)))
        for connection in self.world.connections:
            connection.lose()
        self.world.connections.clear()

    def costly(self, mebibytes: int, operations: int = 2) -> None:
        """From now on a hash costs what it does on a node: those that are compared, and that of nobody."""
        hasher: Any = self.world.hasher
        hasher._memory = mebibytes * 1024 * 1024
        hasher._section = PasswordSection(memory_mib=mebibytes, operations=operations)
        hashed = argon2id.str(PASSWORD.encode(), opslimit=operations, memlimit=hasher._memory).decode()
        hasher._dummy = argon2id.str(b"", opslimit=operations, memlimit=hasher._memory).decode()
        for person in range(0, 2 * PEOPLE, 2):
            self._rehash(login(person), hashed)

    def _rehash(self, username: str, hashed: str) -> None:
        directory, database = self.world.domain.directory, self.world.database
        found: Any = directory.by_username(username)
        owner = found.result
        done = database.transact(lambda c: replace_hash(c, owner, owner.password_hash, hashed))
        assert done.result is None
        owner.password_hash = hashed

    def login(self, person: int) -> Trial:
        """A login with a wrong password."""
        return self._login(login(person))

    def login_by_number(self, person: int) -> Trial:
        """The same with a number."""
        return self._login(mobile(person))

    def login_by_id(self, person: int) -> Trial:
        """The same with the id of an account whose number has gone on."""
        known = self.moved[person // 2 % len(self.moved)]
        return self._login(known if person % 2 == 0 else unknown_id(known, person))

    def create(self, person: int) -> Trial:
        """The beginning of a verification."""
        return self._trial("verification.create", number=mobile(person))

    def request(self, person: int) -> Trial:
        """A code that is sent."""
        return self._trial("verification.request", verification=self._created(mobile(person)))

    def submit(self, person: int) -> Trial:
        """A wrong code."""
        verification = self._sent(mobile(person))
        wrong = f"{(int(self.world.texts.code) + 1) % 1_000_000:06}"
        return self._submission(verification, wrong)

    def find(self, person: int) -> Trial:
        """A number that is looked up by somebody with an account."""
        trial = self._trial("contact.find", address=mobile(person))
        about = {"username": login(0), "password": PASSWORD, "device": LAPTOP}
        trial.connection.session.received(self._payload("session.login", **about))
        trial.connection.written.clear()
        return trial

    def _login(self, username: str) -> Trial:
        about = {"username": username, "password": "wrong", "device": LAPTOP}
        return self._trial("session.login", **about)

    def _submission(self, verification: str, code: str) -> Trial:
        about = {"verification": verification, "code": code, "password": PASSWORD, "device": LAPTOP}
        return self._trial("verification.submit", **about)

    def _trial(self, method: str, **params: Any) -> Trial:
        connection = self.world.connect()
        self.world.connections.clear()
        return Trial(connection, self._payload(method, **params))

    def _payload(self, method: str, **params: Any) -> bytes:
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        return msgspec.json.encode(request)

    def _created(self, number: str) -> str:
        client = Client(self.world)
        return str(client.call("verification.create", number=number)["verification"])

    def _sent(self, number: str) -> str:
        verification = self._created(number)
        Client(self.world).call("verification.request", verification=verification)
        return verification

    def _sign_up(self, number: str, **more: Any) -> Client:
        proof = {"verification": self._sent(number), "code": self.world.texts.code}
        about = {**proof, "device": LAPTOP, "consent": CONSENT}
        client = Client(self.world)
        return client.opened(client.call("verification.submit", **({**about, "password": PASSWORD} | more)))

    def _move(self, number: str) -> str:
        """An account whose number has gone to another one; its id."""
        client = self._sign_up(number)
        client.drop()
        claim = {"password": "another good password", "claim": True}
        with suppress(Refused):  # it is claimed by that
            self._sign_up(number, **claim)
        self.world.clock.advance(7 * DAY)
        assert self._sign_up(number, **claim).account != client.account
        return client.account


CASES: dict[str, Callable[[Crowd, int], Trial]] = {
    "session.login": Crowd.login,
    "session.login by number": Crowd.login_by_number,
    "session.login by id": Crowd.login_by_id,
    "verification.create": Crowd.create,
    "verification.request": Crowd.request,
    "verification.submit, wrong code": Crowd.submit,
    "contact.find of a number": Crowd.find,
}


def people(known: bool) -> Iterator[int]:
    """Those with accounts, or those without, over and over."""
    while True:
        yield from range(0 if known else 1, 2 * PEOPLE, 2)


def login(person: int) -> str:
    return f"person{person:04}"


def mobile(person: int) -> str:
    return f"+4917112{person:05}"


def unknown_id(account: str, person: int) -> str:
    """An id of the same form that nobody has."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "@" + letters[person % 26] + letters[person // 26] + "q" * 24 + account[27:]
