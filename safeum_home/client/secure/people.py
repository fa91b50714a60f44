"""Whose keys are known, and how well: what is pinned, verified, or has changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused

MOST_FORMER = 8
LAG = 60 * 1000
"""Milliseconds in which a directory may still have the keys before, as nodes keep answers of others."""


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
        self.lost: set[bytes] = set()
        """Hashes of keys that the owner of this program had, where nothing else is known of them any more."""

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
        if keys == person.offered or (keys in person.former and now < person.since + LAG):
            return News.SAME
        person.offered = keys
        return News.CHANGED

    def own(self, account: str, keys: PublicKeys, now: int) -> None:
        """The keys that the owner of this program has entered; not where they have named others since."""
        person = self._people.get(account)
        if person is not None and keys in person.former:
            return
        if self.told(account, keys, now) is News.CHANGED or self._people[account].offered == keys:
            self.accept(account, keys.hash, now)

    def accept(self, account: str, hash: bytes, now: int) -> bool:
        """The owner of this program takes the keys that were offered; False where they are not these."""
        person = self._people.get(account)
        if person is None or person.offered is None or person.offered.hash != hash:
            return False
        self._replace(person, person.offered, now)
        return True

    def check_line(self, account: str, line: Sequence[PublicKeys]) -> bool:
        """Whether the last of keys that have named each other are in force, or follow on those that are.

        False of what was in force once. Raises `Refused`: BAD_SIGNATURE where nobody knows any of them,
        OLD_KEYS where those that are known have named others, or are to be in force again.
        """
        person = self._people[account]
        if line[-1] == person.keys:
            return True
        if line[-1] in person.former:
            return False
        later = line[line.index(person.keys) + 1 :] if person.keys in line else ()
        if not later or any(each in person.former for each in later):
            known = any(each in person.former for each in line)
            raise Refused(Reason.OLD_KEYS if known else Reason.BAD_SIGNATURE)
        return True

    def follow(self, account: str, line: Sequence[PublicKeys], now: int) -> PublicKeys | None:
        """The last of a line that was checked are in force: those before; None where they are already.

        Who has seen only the last ones learns of those before, with which history is signed.
        """
        person = self._people[account]
        before = None if person.keys == line[-1] else person.keys
        if before is not None:
            for keys in line[line.index(before) + 1 :]:
                self._replace(person, keys, now)
        elif unknown := [each for each in line[:-1] if each not in person.former]:
            self.revision += 1
            person.former = [*unknown, *person.former][-MOST_FORMER:]
        return before

    def was_own(self, account: str, hash: bytes) -> bool:
        """Whether the owner of this program, `account`, had keys with this hash before."""
        person = self._people.get(account)
        return hash in self.lost or (person is not None and hash in [each.hash for each in person.former])

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
