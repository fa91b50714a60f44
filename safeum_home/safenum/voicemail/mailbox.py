"""The voicemail of all accounts: `ports.voicemail.Mailbox`."""

from collections import Counter
from collections.abc import Callable

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports.carrier import CarrierCall, CarrierListener, Incoming
from safeum_home.ports.voicemail import (
    Answering,
    CannotAnswer,
    Over,
    Recorded,
    Unanswered,
    VoicemailChats,
)
from safeum_home.safenum.voicemail.deliveries import Deliveries
from safeum_home.safenum.voicemail.rules import MailboxRules, takes
from safeum_home.safenum.voicemail.taking import Core, FromAnswering, FromCarrier, taking

LEAST = 1000
"""Milliseconds: what is shorter, up to where something was heard last, is no message."""
MOST = 4
"""Calls of one account that are answered at once: who is called a lot leaves room for others."""


class VoicemailCounts:
    """What became of calls, since the start."""

    def __init__(self) -> None:
        self.taken = self.empty = 0


class Voicemail:
    """Takes calls by the accounts' rules, while there is something that answers."""

    def __init__(
        self,
        answering: Answering,
        rules: MailboxRules,
        chats: VoicemailChats,
        deliveries: Deliveries,
        greeting: bytes,
        seconds: int,
        now: Callable[[], int],
    ) -> None:
        """`greeting` is that of accounts without one of their own; a message has up to so many `seconds`."""
        self._answering = answering
        self._rules = rules
        self._chats = chats
        self._deliveries = deliveries
        self._greeting = greeting
        self._seconds = seconds
        self._now = now
        self._taken: Counter[AccountId] = Counter()
        self.counts = VoicemailCounts()

    async def takes_at_once(self, account: AccountId) -> bool:
        if not self._answering.is_up:
            return False  # better that it rings than that nobody answers
        rule = await self._rules.rule(account)
        return rule.enabled and rule.always

    async def take(
        self, account: AccountId, call: CarrierCall, offer: Incoming, why: Unanswered
    ) -> CarrierListener | None:
        at = self._now()
        try:
            if not self._answering.is_up or not takes(await self._rules.rule(account), why):
                return None
            if not await self._chats.has_room(account):
                return None
            greeting = await self._rules.greeting(account) or self._greeting
        except Problem:
            return None  # the storage is away, or the account gone: what is said could not be kept

        if self._taken[account] >= MOST:
            return None

        def left(sound: bytes, milliseconds: int, heard: int, why: Over) -> None:
            self._taken -= Counter((account,))
            if heard < LEAST:
                self.counts.empty += 1
                return
            self._deliveries.add(account, Recorded(offer.caller, at, milliseconds, sound))

        core = Core(call, left)
        taken = taking(core)
        try:
            answered = self._answering.answer(offer.sdp, greeting, self._seconds, FromAnswering(taken))
        except CannotAnswer:
            return None
        core.answered = answered
        self._taken[account] += 1
        self.counts.taken += 1
        return FromCarrier(taken)
