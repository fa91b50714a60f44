"""What a sign-up needs besides a name and a proof: consent to the policy and, on some nodes, an invite."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from safeum_home.accounts.invites import Invites
from safeum_home.accounts.policy import CurrentPolicy
from safeum_home.accounts.records import ConsentRecord
from safeum_home.accounts.registration import Mode, Registration
from safeum_home.errors import Code, Problem


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who may sign up. `consent` belongs into the account's record."""

    consent: ConsentRecord
    store: Callable[[Connection], None]
    """To be run in the commit that makes the account: it counts the invite, or raises `invite_needed`."""


class Admission:
    """Whoever makes accounts asks here first."""

    def __init__(
        self, registration: Registration, invites: Invites, policy: CurrentPolicy, now: Callable[[], int]
    ) -> None:
        self._registration = registration
        self._invites = invites
        self._policy = policy
        self._now = now

    def check_open(self) -> None:
        """Raise `registration_closed` where nobody may sign up."""
        if self._registration.mode is Mode.CLOSED:
            raise Problem(Code.REGISTRATION_CLOSED)

    def check(self, consent: str | None) -> None:
        """What can be told at once: raises `registration_closed`, `consent_needed`."""
        self.check_open()
        self._policy.check(consent)

    async def admit(self, consent: str | None, invite: str | None) -> Admitted:
        """Raises as `check` does, and `invite_needed`. Limit its callers first: it asks the database.

        An invite is not used up where none is needed.
        """
        self.check(consent)
        agreed = ConsentRecord(self._policy.check(consent), self._now())
        if self._registration.mode is Mode.OPEN:
            return Admitted(agreed, lambda c: None)
        return Admitted(agreed, await self._invites.use(invite))

    def due(self, consented: str | None) -> str | None:
        """The version of the policy that an account's owner is still to be asked about."""
        return self._policy.due(consented)
