"""Invites: made by the operator, good for some accounts and some days, known by a keyed hash alone."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.accounts.records import InviteRecord, seal, unseal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import RandomBytes
from safeum_home.ports import Blinder, Database, Keyring
from safeum_home.protocol.invites import new_code
from safeum_home.storage import invites
from safeum_home.storage.rows import InviteRow

MOST = 1_000
"""Invites that there can be at once; those that have ended are deleted when one is made."""
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Invite:
    """What is known of an invite once its code was given away. `id` is of no use to sign up."""

    id: str
    label: str
    left: int
    uses: int
    created_at: int
    ends: int


class Invites:
    """`ends` and `created_at` are in milliseconds since 1970."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        now: Callable[[], int],
        random: RandomBytes = token_bytes,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._now = now
        self._random = random

    def create(self, uses: int, days: int, label: str) -> "Deferred[tuple[str, Invite]]":
        """A new invite and its code, which is told this once; fails with `limit_reached`."""
        code, now = new_code(self._random), self._now()
        hashed = self._blinder.invite(code)
        key, wrapped = self._keyring.new_key(hashed)
        ends = now + days * _DAY
        sealed = seal(key, InviteRecord(label, uses, now), hashed)
        key.wipe()

        def store(c: Connection) -> tuple[str, Invite]:
            invites.remove_ended(c, now)
            if invites.count(c) >= MOST:
                raise Problem(Code.LIMIT_REACHED, f"there are {MOST} invites: revoke some")
            invites.insert(c, InviteRow(hashed, uses, ends, sealed, wrapped))
            return code, Invite(_shown(hashed), label, uses, uses, now, ends)

        return self._database.transact(store)

    def list(self) -> "Deferred[list[Invite]]":
        """All that have not been deleted; used up and ended ones too."""
        return self._database.read(lambda c: undamaged(invites.every(c), self._open, "invites"))

    def revoke(self, id: str) -> "Deferred[None]":
        """Delete the invite that is shown as `id`; fails with `not_found`."""

        def remove(c: Connection) -> None:
            found = [row for row in invites.every(c) if _shown(row.invite) == id]
            if not found:
                raise Problem(Code.NOT_FOUND, "there is no invite with this id")
            invites.remove(c, found[0].invite)

        return self._database.transact(remove)

    async def use(self, code: str | None) -> Callable[[Connection], None]:
        """What counts one use in the commit of a sign-up; it, or this, raises `invite_needed`.

        All codes that are not good look and take the same: one look-up of a hash.
        """
        hashed = self._blinder.invite(code or "")
        now = self._now()
        if not await self._database.read(lambda c: invites.is_good(c, hashed, now)):
            raise Problem(Code.INVITE_NEEDED)

        def count(c: Connection) -> None:
            if not invites.use(c, hashed, now):
                raise Problem(Code.INVITE_NEEDED)

        return count

    def _open(self, row: InviteRow) -> Invite:
        key = self._keyring.unwrap(row.invite, row.key)
        record = unseal(key, InviteRecord, row.sealed, row.invite)
        key.wipe()
        return Invite(_shown(row.invite), record.label, row.left, record.uses, record.created_at, row.ends)


def _shown(hashed: bytes) -> str:
    """64 bits of what an invite is stored under: enough to tell one from all others."""
    return hashed[:8].hex()
