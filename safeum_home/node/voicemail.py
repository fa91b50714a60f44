"""Voicemail, made and wired: what answers, rules, and the chats in which messages are."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger

import safeum_home.safenum.voicemail as package
from safeum_home.answering.process import AnsweringProcess
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.system import signing
from safeum_home.chats.voicemail.days import VoicemailDays
from safeum_home.chats.voicemail.delivering import VoicemailDelivery
from safeum_home.chats.voicemail.sweep import VoicemailSweep
from safeum_home.config import Config
from safeum_home.errors import Code, Problem
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import system_account
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.ports.voicemail import AnsweredCall, Answering, AnsweringListener, CannotAnswer
from safeum_home.protocol.commands import voicemail as commands
from safeum_home.safenum.voicemail.commands import VoicemailCommands
from safeum_home.safenum.voicemail.deliveries import Deliveries
from safeum_home.safenum.voicemail.mailbox import Voicemail
from safeum_home.safenum.voicemail.rules import MailboxRules

GREETING = Path(package.__file__).with_name("greeting.ogg")
_log = Logger()


class Answerer(Answering, Protocol):
    """What answers, as the node begins and ends it."""

    def start(self) -> None: ...
    def stop(self) -> "Deferred[None]": ...
    @property
    def taken(self) -> int:
        """How many calls are being answered."""


class NobodyAnswers:
    """`Answerer` of a node without a carrier, or without what it takes to answer."""

    is_up = False
    taken = 0

    def start(self) -> None:
        pass

    def stop(self) -> "Deferred[None]":
        return succeed(None)

    def answer(self, sdp: str, greeting: bytes, seconds: int, listener: AnsweringListener) -> AnsweredCall:
        raise CannotAnswer

    def greeting(self, octets: bytes) -> "Deferred[bytes]":
        return fail(Problem(Code.VOICEMAIL_UNAVAILABLE))


NOBODY: Answerer = NobodyAnswers()


def make_answering(config: Config, reactor: Any) -> Answerer:
    """What the configuration asks for. `reactor` provides IReactorProcess and IReactorTime."""
    section = config.safenum
    if not section.carriers or not section.voicemail_calls:
        return NOBODY
    if find_spec("aiortc") is None:
        _log.warn("Calls that nobody answers are declined: voicemail needs safeum-home[voicemail].")
        return NOBODY
    return AnsweringProcess(reactor, section.voicemail_calls, section.voicemail_silence_seconds)


class VoicemailParts(NamedTuple):
    """What the rest of the node needs of it."""

    mailbox: Voicemail
    deliveries: Deliveries
    answering: Answerer
    sweep: VoicemailSweep
    routes: Routes
    rates: dict[str, RateLimit]

    def start(self) -> None:
        """Answer from now on, and destroy what is too old."""
        self.answering.start()
        self.sweep.start()

    def report(self) -> str:
        """For the operator, in a line."""
        if self.answering is NOBODY:
            return "none: no carrier, or safeum-home[voicemail] is not installed"
        answers = "answers" if self.answering.is_up else "does not answer now"
        counts, deliveries = self.mailbox.counts, self.deliveries
        became = f"{deliveries.delivered} delivered, {counts.empty} empty, {deliveries.lost} lost"
        return f"{answers}, {self.answering.taken} now; {counts.taken} taken: {became}"

    async def stop(self) -> None:
        """What is being recorded ends, and is delivered."""
        self.sweep.stop()
        await self.answering.stop()
        await self.deliveries.stop()


def make_voicemail(
    means: DomainMeans, files: FileMeans, delivery: Delivery, answering: Answerer
) -> VoicemailParts:
    """As the section `[safenum]` says."""
    section, vault, clock = means.config.safenum, means.vault, means.clock
    days = VoicemailDays(vault.fleeting, section.voicemail_days)
    signed = signing(means.node, vault.signer)
    chats = VoicemailDelivery(files, delivery, system_account(means.node), signed, days)
    rules, deliveries = MailboxRules(means.database, means.directory), Deliveries(clock, chats)
    greeting, seconds = GREETING.read_bytes(), section.voicemail_seconds
    mailbox = Voicemail(answering, rules, chats, deliveries, greeting, seconds, means.milliseconds)
    limits = means.config.limits
    limit = RateLimit(
        limits.voicemail_greetings_per_account, limits.voicemail_greetings_per_account_burst, clock.seconds
    )
    does = VoicemailCommands(
        answering, rules, means.registry.voicemail_chat, greeting, seconds, section.voicemail_days, limit
    )
    routes: Routes = {
        commands.VoicemailGet: does.get,
        commands.VoicemailSet: does.set,
        commands.VoicemailGreetingSet: does.greeting_set,
        commands.VoicemailGreetingGet: does.greeting_get,
        commands.VoicemailGreetingRemove: does.greeting_remove,
    }
    sweep = VoicemailSweep(clock, means.jobs, means.database, vault.blinder, days, means.fleeting_turns)
    return VoicemailParts(
        mailbox, deliveries, answering, sweep, routes, {"voicemail_greetings_per_account": limit}
    )
