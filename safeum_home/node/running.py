"""The domain of an open node: what the edge needs of it, and what has to be begun and ended with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from twisted.internet.threads import deferToThread

from safeum_home.accounts.closing import Closing
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.findable_keeper import FindableKeeper
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.receipts_owed import ReceiptsOwed
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.support_desk import SupportDesk
from safeum_home.gateway.services import Services
from safeum_home.jobs import Job, Jobs
from safeum_home.keys.reminding import KeyReminders
from safeum_home.node.call_log import CallLogParts
from safeum_home.node.calls import CallParts
from safeum_home.node.conferences import ConferenceParts
from safeum_home.node.control import Control
from safeum_home.node.files import Files
from safeum_home.node.money import MoneyParts
from safeum_home.node.numbers import NumberParts
from safeum_home.node.telephone import TelephoneParts
from safeum_home.node.turning import Turns
from safeum_home.node.voicemail import VoicemailParts
from safeum_home.node.waking import WakingParts
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.ports.federation import Answer, SharedKind
from safeum_home.presence.presence import WhoIsThere


@dataclass(frozen=True, slots=True)
class Domain:
    """What the edge needs of an open node, and what has to be ended with it."""

    jobs: Jobs
    anew: Sequence[Job]
    """What is done where something was stored that nobody was told of."""
    posting: Job
    """Tells groups' nodes again what waits for them."""
    services: Services
    receipts: Receipts
    directory: AccountDirectory
    registry: ChatRegistry
    turns: Turns
    fleeting_turns: Turns
    closing: Closing
    findable: FindableKeeper
    support: SupportDesk
    control: Control
    files: Files
    presence: WhoIsThere
    fleeting: FleetingMessages
    waking: WakingParts
    posts: PostBox
    shared: tuple[SharedKind, ...]
    """Of what other nodes are told, and tell."""
    answers: Mapping[type[Struct], Answer]
    """To what other nodes ask."""
    owed: ReceiptsOwed
    """What other nodes are to get for what was erased."""
    expiring: tuple[ExpiringKind, ...]
    """What they are told, and tell, that is of use for a moment alone."""
    doubt_keys: Callable[[], None]
    """Which public keys are in force is to be read anew."""
    reminders: KeyReminders
    """Of keys that have changed."""
    calls: CallParts
    call_log: CallLogParts
    conferences: ConferenceParts
    money: MoneyParts
    numbers: NumberParts
    voicemail: VoicemailParts
    telephone: TelephoneParts

    def forget(self) -> None:
        """Read all from the database anew: what is in memory may be older."""
        self.directory.forget()
        self.registry.forget()
        self.findable.forget()
        self.doubt_keys()
        self.money.read_anew()
        self.presence.read_anew()
        self.waking.forget()
        for job in self.anew:
            job.ask()

    def start(self) -> None:
        """Begin what is done from time to time."""
        self.findable.start()
        self.files.janitor.start()
        self.fleeting.start()
        self.waking.start()
        self.reminders.look()
        self.call_log.start()
        self.money.start()
        self.voicemail.start()
        self.owed.giving.ask()
        self.posting.ask()

    async def stop(self) -> None:
        """End what is under way: afterwards nothing uses the database."""
        self.jobs.stop()
        self.receipts.flush()
        await self.files.copies.stop()
        await self.files.janitor.stop()
        self.fleeting.stop()
        self.posts.stop()
        self.presence.stop()
        self.reminders.stop()
        self.conferences.stop()
        self.calls.legs.stop()
        self.call_log.stop()
        await self.telephone.stop()
        await self.voicemail.stop()
        self.money.stop()
        self.waking.waker.stop()
        await self.turns.stop()
        await self.fleeting_turns.stop()
        self.findable.stop()
        await deferToThread(self.findable.join)

    def wipe(self) -> None:
        """Zero the keys of accounts and chats: nothing works afterwards."""
        self.directory.wipe()
        self.registry.wipe()
