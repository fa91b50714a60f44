"""What becomes of messages after they were sent, and what accounts set for their chats: made and wired."""

from collections.abc import Callable
from typing import NamedTuple

from safeum_home.chats.changes.altering import Altering
from safeum_home.chats.changes.changing import MessageChanges
from safeum_home.chats.changes.finding import MessageFinder
from safeum_home.chats.changes.missed import MissedChanges
from safeum_home.chats.changes.pins import Pins
from safeum_home.chats.composing import Composing
from safeum_home.chats.files.sending import Attachments
from safeum_home.chats.history_changes import DropDrafts
from safeum_home.chats.own_settings import OwnSettings
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId, ChatId
from safeum_home.node.means import DomainMeans
from safeum_home.ports import Source
from safeum_home.protocol import commands
from safeum_home.storage.files import drop
from safeum_home.storage.passed_on import drop_events


class MessageWays(NamedTuple):
    """`composing` is for whoever sends, `sources` and `routes` are for the domain.

    `drop_drafts` is for whoever erases the past of a chat, `altering`, `changes` and
    `pins` for other nodes.
    """

    composing: Composing
    sources: tuple[Source, ...]
    routes: Routes
    drop_drafts: DropDrafts
    altering: Altering
    changes: MessageChanges
    pins: Pins


def make_message_changes(
    means: DomainMeans, attachments: Attachments, mutes: Callable[[AccountId, ChatId], None]
) -> MessageWays:
    """`attachments` are the files of messages; `mutes` is told who mutes a chat, or not any more."""
    database, registry, bus = means.database, means.registry, means.bus
    blinder, cursors = means.vault.blinder, means.vault.cursors
    altering = Altering(
        database,
        MessageFinder(blinder, registry, means.opener),
        blinder,
        cursors,
        registry,
        means.infos,
        bus,
        means.fan_out,
        means.telling,
        means.posts,
    )
    until = means.config.messages.edit_seconds
    changes = MessageChanges(
        altering,
        database,
        blinder,
        cursors,
        means.milliseconds,
        until,
        means.posts,
        (drop, drop_events),
    )
    pins = Pins(
        altering, database, blinder, cursors, registry, means.telling, means.posts, means.milliseconds
    )
    about = (altering, database, blinder, cursors, registry, means.opener, means.directory, bus)
    own = OwnSettings(*about, mutes)
    routes: Routes = {
        commands.MessageEdit: changes.edit,
        commands.MessageDelete: changes.delete,
        commands.MessageReact: changes.react,
        commands.MessageReactions: changes.reactions,
        commands.ChatPin: pins.pin,
        commands.ChatUnpin: pins.unpin,
        commands.ListPinned: pins.pinned,
        commands.ChatSettingsSet: own.set,
    }
    missed = MissedChanges(blinder, cursors, means.opener)
    composing = Composing(altering, database, blinder, cursors, registry, attachments)
    return MessageWays(composing, (missed.since, own.since), routes, own.drop_drafts, altering, changes, pins)
