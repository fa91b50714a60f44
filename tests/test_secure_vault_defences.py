"""Tests of vaults that are rolled back, and of chats shown as others, notice when a defence is gone."""

from typing import Any

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.abilities import secure_taking
from safeum_home.client.abilities.secure_taking import SecureTaking
from safeum_home.client.abilities.sleeping import Sleeping
from safeum_home.client.secure import vault_content
from safeum_home.client.secure.vault import Vault
from safeum_home.client.state import group_ids
from safeum_home.client.unlocked import opening, remembering, vault_store
from safeum_home.client.unlocked.chat_files import ChatFiles
from safeum_home.client.unlocked.events import VaultRefused
from safeum_home.client.unlocked.opening import Opening
from safeum_home.client.unlocked.remembering import Remembering
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.client.unlocked.vault_keeper import VaultKeeper
from tests.test_secure_defences import VERSIONS
from tests.without import Defence, check, nothing, yes

RESTORED = "tests.test_client_secure_restored."
DOWNGRADE = "tests.test_client_secure_downgrade."
UNREAD = "tests.test_client_secure_unread."
CLOSING = "tests.test_client_secure_closing."
KEPT = "tests.test_client_secure_kept."


def _overwrites(self: Any, reason: Any, version: int) -> bool:
    """`VaultKeeper._refuse` that tells, and lets the next one be put in its place."""
    self._owner.vault_refused(VaultRefused(reason, version))
    self._vault.instead(version)
    return True


async def _unlooked(self: Any) -> None:
    """`VaultKeeper.replace` that does not look at what is there by now."""
    self._vault.instead(await vault_store.version(self._client))
    await self._resume()


def _at_once(self: Any, online: bool) -> Any:
    """`Remembering.shut` that writes nothing."""
    self.close()
    return succeed(None)


def _later(self: Any, urgent: bool = False) -> None:
    """`VaultKeeper.changed` for which nothing is urgent."""
    self._writing.changed()


async def _as_listed(self: Any, chat: str, kept: str | None) -> str:
    """`Opening._peer_of` that believes the node."""
    listed = (await self.client.members(chat)).members
    others: list[str] = [each.account for each in listed if each.account != self.own.account]
    return others[0]


async def _waits_for_nothing(_self: Any) -> None:
    """`VaultKeeper.known` of a program that goes on without."""


async def _opens(self: Any) -> None:
    """`SecureChats._open_once` that does not look at that."""
    await self._open_all()


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "vaults of before, in a program that runs": (RESTORED + "RunningTests.test_replaced", (VERSIONS,)),
    "vaults of before, after a start": (
        RESTORED + "StartedTests.test_seen",
        (Defence(Vault, "expect", nothing),),
    ),
    "asking before one is replaced": (
        RESTORED + "RunningTests.test_replaced",
        (Defence(VaultKeeper, "_refuse", _overwrites),),
    ),
    "what others have written meanwhile": (
        RESTORED + "UnreadTests.test_overwritten_meanwhile",
        (Defence(VaultKeeper, "replace", _unlooked),),
    ),
    "lies of a node on newer ones": (
        RESTORED + "StartedTests.test_lie_of_a_node",
        (Defence(VaultKeeper, "told", lambda self: self.newer(2**53 - 1)),),
    ),
    "what is written before closing": (
        KEPT + "WritingTests.test_closed",
        (Defence(Remembering, "shut", _at_once),),
    ),
    "what is written before sleeping": (
        KEPT + "WritingTests.test_asleep",
        (Defence(SecureTaking, "_sleep", Sleeping._sleep),),
    ),
    "what must not be lost": (KEPT + "WritingTests.test_at_once", (Defence(VaultKeeper, "changed", _later),)),
    "an end to waiting": (
        KEPT + "WritingTests.test_no_answer",
        (Defence(remembering, "SAVED_WITHIN", 60.0),),
    ),
    "keys of others before the vault is known": (
        UNREAD + "UnreadTests.test_swapped",
        (Defence(VaultKeeper, "known", _waits_for_nothing), Defence(SecureChats, "_open_once", _opens)),
    ),
    "keys that were verified, of what is seen first": (
        "tests.test_secure_vault.MergeTests.test_seen_first",
        (Defence(vault_content, "_seen_first", nothing),),
    ),
    "what is under way while it is locked": (
        CLOSING + "LockTests.test_while_unlocking",
        (Defence(Opening, "_check_open", nothing),),
    ),
    "files that are under way while it is locked": (
        CLOSING + "FileTests.test_given_up",
        (Defence(ChatFiles, "close", nothing),),
    ),
    "secure chats shown as groups, to who is locked": (
        DOWNGRADE + "LockedTests.test_plain",
        (Defence(group_ids, "is_kind", yes),),
    ),
    "seeds that do not fit": (
        DOWNGRADE + "LockedTests.test_another_seed",
        (Defence(group_ids, "group_id", lambda hub, seed: _Any()),),
    ),
    "secure chats shown as direct ones": (
        DOWNGRADE + "LockedTests.test_direct",
        (Defence(group_ids, "direct_chat_id", lambda one, other: _Any()),),
    ),
    "what is known while it is locked": (
        DOWNGRADE + "LockedTests.test_locked_again",
        (Defence(SecureTaking, "_is_secure", nothing),),
    ),
    "all that says something in clear": (
        DOWNGRADE + "UnlockedTests.test_plain",
        (Defence(secure_taking, "says_in_clear", nothing),),
    ),
    "telling what a node shows": (
        DOWNGRADE + "UnlockedTests.test_meanwhile",
        (Defence(Opening, "_look_at", nothing),),
    ),
    "partners of the node's own": (
        DOWNGRADE + "UnlockedTests.test_partner",
        (Defence(Opening, "_peer_of", _as_listed),),
    ),
    "a third one in a pair": (
        DOWNGRADE + "UnlockedTests.test_third",
        (Defence(Opening, "_look_at_member", nothing),),
    ),
    "open groups that are shown as secure": (
        DOWNGRADE + "UnlockedTests.test_no_secure_chat",
        (Defence(opening, "is_kind", yes),),
    ),
}


class _Any(str):
    """A text that is equal to all texts."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "VaultDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class VaultDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(VaultDefenceTests, f"test_{_number:02}", _of(_name))
