"""Tests of nodes that lie to programs with secure chats notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import events as e
from safeum_home.client.secure.chat import Step
from safeum_home.client.secure.streams import Noted, Streams, Verdict
from safeum_home.client.unlocked import items
from safeum_home.client.unlocked.beginning import Beginning
from safeum_home.client.unlocked.exchange import Exchange
from safeum_home.client.unlocked.hearing import Hearing
from safeum_home.client.unlocked.opening import Opening
from safeum_home.client.unlocked.saying import Saying
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.client.unlocked.vault_keeper import VaultKeeper
from safeum_home.protocol.group_types import SECURE_NAME
from tests.without import Defence, check, nothing, yes

LIES = "tests.test_client_secure_lies."
REFUSED = "tests.test_client_secure_refused."
BEHIND = "tests.test_client_secure_behind."


def _whoever(self: Any, told: Any) -> None:
    """`Exchange._take` that does not look whose roster has come, and whether it was taken."""
    step = self._chat.take(told)
    self._done(step)
    self._signing.took(told.data, not any(isinstance(each, e.Overtaken) for each in step.events))


async def _whichever(self: Any, invited: Any, peer: str | None) -> Any:
    """`Beginning._begun` that takes the chat that it is told."""
    pair = peer is not None
    created = await self.client.create_group(SECURE_NAME, invited, earlier=pair, secure=True, pair=pair)
    return await self._opened(created.chat.chat, peer)


async def _all_of_them(self: Any, conversation: Any, accounts: Any) -> Any:
    """`Beginning._invite` that removes whomever the node says that it has not invited."""
    await conversation.admit(accounts)
    answer = await self.client.invite_to_group(conversation.id, accounts)
    await conversation.dismiss([each.account for each in answer.refused])
    return ()


def _forgotten(self: Any, chat: str) -> None:
    """`Opening._drop` that keeps nothing of what was known."""
    self.chats.pop(chat).close()


def _each_time(self: Any, account: str) -> None:
    """`SecureChats._need_soon` that does so for each event."""
    self.clock.callLater(1.5, self.need, [account])


async def _each(self: Any) -> None:
    """`VaultKeeper.known` where each one asks."""
    if not self.is_read:
        await self.load()


def _unnoted(self: Any, head: Any, account: str, hash: bytes, live: bool) -> Noted:
    """`Streams.note` that notes nothing."""
    return Noted(Verdict.NEW)


def _shown_again(self: Any, received: Any) -> None:
    """`Hearing._received` that does not look whether it is there."""
    if (item := items.item_of(received)) is not None:
        self.items.sealed(item, item.hash or "")
        self.items.add(item)


def _told_first(self: Any, step: Any) -> None:
    """`Saying._done` that tells before it posts."""
    for event in step.events:
        self._heard(event)
    _done(self, Step(posts=step.posts))


async def _waits(_self: Any) -> None:
    """`SecureChats._catch_up` that waits for what comes."""


_done = Saying._done

DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "rosters that somebody else is said to have signed": (
        LIES + "RosterTests.test_said_by_another",
        (Defence(Exchange, "_take", _whoever),),
    ),
    "chats that are not new": (
        LIES + "BeginTests.test_another_chat",
        (Defence(Beginning, "_begun", _whichever),),
    ),
    "chats of another kind": (
        LIES + "BeginTests.test_another_kind",
        (Defence(Beginning, "_begun", _whichever),),
    ),
    "other partners": (
        LIES + "BeginTests.test_another_partner",
        (Defence(Beginning, "_begun", _whichever),),
    ),
    "others who were not invited": (
        LIES + "BeginTests.test_others_refused",
        (Defence(Beginning, "_invite", _all_of_them),),
    ),
    "members who are shown as invited": (
        LIES + "RosterTests.test_invited_again",
        (Defence(Hearing, "_is_awaited", lambda self, account: self._told.is_invited(account)),),
    ),
    "what was known before a chat is opened again": (
        LIES + "RosterTests.test_removed_and_shown_again",
        (Defence(Opening, "_drop", _forgotten),),
    ),
    "members whom nobody vouches for": (
        "tests.test_client_secure_hostile.HostileTests.test_ghost",
        (Defence(Hearing, "_look_at_strangers", nothing),),
    ),
    "edits in another order": (
        LIES + "AgainTests.test_edits_in_another_order",
        (Defence(items, "_is_latest", yes),),
    ),
    "keys of strangers": (
        LIES + "AgainTests.test_strangers",
        (Defence(Hearing, "_ask", lambda self, accounts: self._home.need(accounts)),),
    ),
    "keys that are said to change again and again": (
        LIES + "AgainTests.test_keys_changed",
        (Defence(SecureChats, "_need_soon", _each_time),),
    ),
    "vaults that many wait for": (
        LIES + "AgainTests.test_messages_of_what_is_not_open",
        (Defence(VaultKeeper, "known", _each),),
    ),
    "changes that are not taken": (
        REFUSED + "ChangeTests.test_itself",
        (Defence(items.Items, "undo", lambda *_: []),),
    ),
    "who answers at once": (
        REFUSED + "QueueTests.test_said_at_once",
        (Defence(Saying, "_done", _told_first),),
    ),
    "what stands behind what is refused": (
        REFUSED + "QueueTests.test_goes_on",
        (Defence(Saying, "_named_anew", lambda self, payload: payload),),
    ),
    "what is closed": (
        REFUSED + "ClosedTests.test_left",
        (Defence(Saying, "_check_open", nothing),),
    ),
    "what comes twice, whatever comes": (
        "tests.test_client_secure_fuzz.FuzzTests.test_anything",
        (Defence(Streams, "note", _unnoted), Defence(Hearing, "_received", _shown_again)),
    ),
    "what was missed": (
        BEHIND + "BehindTests.test_missed",
        (Defence(SecureChats, "_catch_up", _waits),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "LieDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class LieDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(LieDefenceTests, f"test_{_number:02}", _of(_name))
