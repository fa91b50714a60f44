"""Whose keys these are: how well they are known, and what two people compare."""

from abc import ABC, abstractmethod

from segno import QRCode
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.errors import local
from safeum_home.client.secure import fingerprints
from safeum_home.client.secure.people import People, Person, Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.errors import Code


class Verifying(ABC):
    """A part of `SecureChats`."""

    own: UniqueKey
    people: People
    clock: IReactorTime

    @abstractmethod
    def changed(self, urgent: bool = False) -> None:
        """Something is different that the vault keeps; what is `urgent` must not be lost."""

    @property
    def closed(self) -> bool:
        """Whether all keys are wiped."""
        return self.own.wiped

    def _check_open(self) -> None:
        """Raises `wrong_state`, as all that needs to be unlocked does."""
        if self.closed:
            raise local(Code.WRONG_STATE, "it is locked, or was locked meanwhile")

    def _now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def trust(self, account: str) -> Trust:
        """How well the keys of an account are known."""
        return self.people.trust(account)

    def fingerprint(self, account: str) -> str:
        """Of the keys in force, for people; raises `Refused(NO_KEYS)`."""
        return fingerprints.fingerprint(self._person(account).keys.hash)

    def safety_number(self, account: str) -> str:
        """60 digits: the same for both, unless somebody stands between. Raises `Refused(NO_KEYS)`."""
        own = (self.own.account, self.own.public)
        return fingerprints.safety_number(own, (account, self._person(account).keys))

    def picture(self, account: str) -> QRCode:
        """What the other one scans; `picture(...).terminal()` shows it. Raises `Refused(NO_KEYS)`."""
        return fingerprints.picture(self.scan_text(account))

    def scan_text(self, account: str) -> str:
        """What that picture says. Raises `Refused(NO_KEYS)`."""
        other = (account, self._person(account).keys.hash)
        return fingerprints.scan_text((self.own.account, self.own.hash), other)

    def scanned(self, account: str, said: str) -> bool:
        """What was scanned from the screen of `account`, which is verified if it fits.

        Raises `Refused`, `wrong_state`.
        """
        self._check_open()
        person = self._person(account)
        same = fingerprints.scanned(said, (self.own.account, self.own.hash), (account, person.keys.hash))
        if same:
            self.verify(account)
        else:
            self.people.doubt(account, self._now())
            self.changed(urgent=True)
        return same

    def verify(self, account: str, number: str | None = None) -> None:
        """Its owner has compared the safety number by another way.

        Give the `number` that was shown, where that was not just now: keys may have changed meanwhile. Raises
        `Refused`: NO_KEYS, and OLD_KEYS where it is another one by now; `wrong_state`.
        """
        self._check_open()
        if number is not None and number.split() != self.safety_number(account).split():
            raise Refused(Reason.OLD_KEYS)
        self.people.verify(account, self._person(account).keys.hash, self._now())
        self.changed(urgent=True)

    def _person(self, account: str) -> Person:
        person = self.people.get(account)
        if person is None:
            raise Refused(Reason.NO_KEYS)
        return person
