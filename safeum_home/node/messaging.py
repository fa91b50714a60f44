"""The way of a message: who sends, who is told, and what is kept of that, made and wired."""

from typing import NamedTuple

from safeum_home.chats.across.posts.expiry import PostExpiry
from safeum_home.chats.across.typing import TypingKind
from safeum_home.chats.across.untaken import Untaken
from safeum_home.chats.composing import Composing
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.groups.notices import NoticeWriter
from safeum_home.chats.messages import Messages
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.support import SupportInbox
from safeum_home.chats.support_desk import SupportDesk
from safeum_home.chats.system import SystemMessages, signing
from safeum_home.chats.typing_signal import TypingSignals
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import support_account, system_account
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.node.routes import message_routes
from safeum_home.ports import Source
from safeum_home.presence.presence import WhoIsThere


class MessagingParts(NamedTuple):
    """`announcer` writes alerts to accounts, `notices` what happens in chats; `desk` is the staff's side."""

    receipts: Receipts
    delivery: Delivery
    fleeting: FleetingMessages
    notices: NoticeWriter
    announcer: SystemMessages
    desk: SupportDesk
    sources: tuple[Source, ...]
    routes: Routes
    rates: dict[str, RateLimit]
    typing: TypingKind


def make_messaging(means: DomainMeans, presence: WhoIsThere, composing: Composing) -> MessagingParts:
    """`composing` is what a message may have besides its text."""
    config, clock, bus = means.config, means.clock, means.bus
    database, registry = means.database, means.registry
    blinder, cursors = means.vault.blinder, means.vault.cursors
    now, system = means.milliseconds, system_account(means.node)
    inbox = SupportInbox.of(config.limits, clock.seconds, database)
    signed = signing(means.node, means.vault.signer)
    typing = TypingSignals(clock.seconds, registry, bus, presence, means.peers.tell_now)
    delivery = Delivery(bus, typing.sent, system)
    untaken = Untaken(means.opener, blinder, means.peers).among
    expire = PostExpiry(database, means.posts.box).end
    fleeting = FleetingMessages(
        clock, means.jobs, database, blinder, means.fleeting_turns, config.history, untaken, expire
    )
    notices = NoticeWriter(blinder, cursors, system, now, signed, fleeting.waits)
    kept = (database, blinder, cursors, registry, delivery, now, signed, inbox, fleeting)
    messages = Messages(*kept, composing, means.fan_out, means.telling, means.posts)
    receipts = Receipts(clock, means.jobs, database, blinder, cursors, registry, bus, means.telling)
    support = support_account(means.node)
    section = means.config.limits
    foreign = RateLimit(
        section.events_per_foreign_account, section.events_per_foreign_account_burst, clock.seconds
    )
    hubs = RateLimit(section.events_per_hub, section.events_per_hub_burst, clock.seconds)
    return MessagingParts(
        receipts,
        delivery,
        fleeting,
        notices,
        SystemMessages(registry, messages, system, now),
        SupportDesk(database, registry, means.opener, messages, receipts, blinder, support),
        (messages.since, receipts.since, means.infos.since, means.posts.box.since),
        message_routes(messages, receipts, typing),
        {
            "support_messages_per_account": inbox.rate,
            "deliveries_per_account": means.fan_out.rate,
            "events_per_foreign_account": foreign,
            "events_per_hub": hubs,
        },
        TypingKind(typing, presence, clock.seconds),
    )
