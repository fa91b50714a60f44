"""Whose keys are known, and how well: what is pinned, verified, or has changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from safeum_home.client.secure.public_keys import PublicKeys

MOST_FORMER = 8


class Trust(StrEnum):
    """How well the keys in force of an account are known."""

    UNKNOWN = "unknown"
    """None were seen."""
    PINNED = "pinned"
    """They are those that were seen first."""
    VERIFIED = "verified"
    """Their owner was asked, by another way than through nodes."""
    CHANGED = "changed"
    """They are others than those that were seen first, or verified, and were not verified since."""


class News(StrEnum):
    """What keys are that somebody has shown."""

    SAME = "same"
    FIRST = "first"
    CHANGED = "changed"


@dataclass(slots=True)
class Person:
    """What is known of an account's keys."""

    keys: PublicKeys
    """Those in force for this account: what it says is sealed to them."""
    trust: Trust = Trust.PINNED
    since: int = 0
    """When they came into force here: milliseconds."""
    judged: int = 0
    """When they were verified, or doubted."""
    offered: PublicKeys | None = None
    """Others, which the directory has, and nobody has accepted yet."""
    former: list[PublicKeys] = field(default_factory=list)
    """Those before, the newest last: what was said then is signed with them."""


class People:
    """All accounts, for all chats of one account. The vault keeps it."""

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}
        self.revision = 0
        """Another one with each change."""

    def __iter__(self) -> Iterator[tuple[str, Person]]:
        return iter(self._people.items())

    def get(self, account: str) -> Person | None:
        return self._people.get(account)

    def restore(self, account: str, person: Person) -> None:
        """As the vault has it."""
        self.revision += 1
        self._people[account] = person

    def trust(self, account: str) -> Trust:
        person = self._people.get(account)
        return Trust.UNKNOWN if person is None else person.trust

    def told(self, account: str, keys: PublicKeys, now: int) -> News:
        """Keys of the directory, signed by themselves. Others than are in force are used once accepted."""
        self.revision += 1
        person = self._people.get(account)
        if person is None:
            self._people[account] = Person(keys, since=now)
            return News.FIRST
        if keys == person.keys:
            person.offered = None
            return News.SAME
        if keys == person.offered:
            return News.SAME
        person.offered = keys
        return News.CHANGED

    def own(self, account: str, keys: PublicKeys, now: int) -> None:
        """The keys that the owner of this program has entered."""
        if self.told(account, keys, now) is News.CHANGED or self._people[account].offered == keys:
            self.accept(account, keys.hash, now)

    def accept(self, account: str, hash: bytes, now: int) -> bool:
        """The owner of this program takes the keys that were offered; False where they are not these."""
        person = self._people.get(account)
        if person is None or person.offered is None or person.offered.hash != hash:
            return False
        self._replace(person, person.offered, now)
        return True

    def succeed(self, account: str, before: bytes, keys: PublicKeys, now: int) -> bool:
        """The keys in force, with the hash `before`, have named these as their followers."""
        person = self._people.get(account)
        if person is None or person.keys.hash != before:
            return False
        self._replace(person, keys, now)
        return True

    def verify(self, account: str, hash: bytes, now: int) -> bool:
        """Both have compared: the keys with this hash are theirs; False where others are in force."""
        person = self._people.get(account)
        if person is None or person.keys.hash != hash:
            return False
        person.trust, person.judged = Trust.VERIFIED, now
        return True

    def doubt(self, account: str, now: int) -> None:
        """They have compared, and it was not the same; or it is to be done anew."""
        person = self._people.get(account)
        if person is not None and person.trust is Trust.VERIFIED:
            person.trust, person.judged = Trust.PINNED, now

    def _replace(self, person: Person, keys: PublicKeys, now: int) -> None:
        self.revision += 1
        person.former = [*(each for each in person.former if each != keys), person.keys][-MOST_FORMER:]
        person.keys, person.offered = keys, None
        person.trust, person.since = Trust.CHANGED, now
