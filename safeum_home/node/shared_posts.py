"""What is written in groups across nodes, made and wired: at the node that orders a group, and elsewhere."""

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.groups.answers import PostedKind
from safeum_home.chats.across.groups.authors import Authors
from safeum_home.chats.across.groups.history import GroupErasedKind, GroupHistoryKind
from safeum_home.chats.across.groups.lives_heard import GroupLives
from safeum_home.chats.across.groups.markers import ReadKind
from safeum_home.chats.across.groups.messages import GroupChangeKind, GroupMessageKind, GroupMessages
from safeum_home.chats.across.groups.placing import Placing
from safeum_home.chats.across.groups.posts import PostKind
from safeum_home.chats.across.groups.reactions import GroupPinsKind, GroupReactionKind
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.groups.shown import GroupShown
from safeum_home.chats.across.posts.acts import Acts
from safeum_home.chats.across.posts.records import PostKeys
from safeum_home.chats.system import signing
from safeum_home.node.history import HistoryParts
from safeum_home.node.means import DomainMeans, make_group_receipts
from safeum_home.node.message_changes import MessageWays
from safeum_home.node.messaging import MessagingParts
from safeum_home.ports.federation import SharedKind


def make_shared_posts(
    means: DomainMeans, messaging: MessagingParts, ways: MessageWays, history: HistoryParts
) -> tuple[SharedKind, ...]:
    """The kinds of objects in groups of which other nodes are told."""
    node, database, registry, opener = means.node, means.database, means.registry, means.opener
    blinder, cursors, now, box = means.vault.blinder, means.vault.cursors, means.milliseconds, means.posts.box
    altering, changes, delivery = ways.altering, ways.changes, messaging.delivery
    references = GroupReferences(node, blinder, cursors)
    limit = messaging.rates["events_per_hub"]
    arrivals, authors = Arrivals(registry, now, history.lives), Authors(means.peers, now, limit)
    gone, notes, fleeting = make_group_receipts(means), means.telling.groups, messaging.fleeting
    lives = GroupLives(
        node,
        database,
        registry,
        opener,
        means.infos,
        means.bus,
        history.changes,
        blinder,
        box,
        PostKeys(lambda: means.fleeting_turns.epoch),
        gone,
        history.lives.finish,
        history.limit,
    )
    shown = GroupShown(node, opener, references, Acts(references))
    messages = GroupMessages(
        node,
        database,
        cursors,
        opener,
        references,
        arrivals,
        authors,
        altering,
        changes,
        delivery,
        box,
        lives,
        fleeting,
        means.group_files,
        signing(node, means.vault.signer),
    )
    placing = Placing(
        blinder,
        cursors,
        references,
        arrivals,
        altering,
        changes,
        ways.pins,
        delivery,
        means.telling,
        fleeting,
        means.group_files,
    )
    return (
        GroupMessageKind(shown, messages),
        GroupChangeKind(shown, messages),
        GroupReactionKind(database, lives, shown, references, authors, altering, changes, now),
        GroupPinsKind(database, lives, opener, shown, references, altering, ways.pins, limit),
        PostKind(database, blinder, registry, arrivals, altering, placing, means.peers, box),
        PostedKind(node, database, opener, box, now),
        GroupHistoryKind(node, opener, lives, now),
        GroupErasedKind(
            node,
            database,
            opener,
            registry,
            means.infos,
            means.bus,
            means.peers,
            notes,
            gone,
            lives,
            now,
        ),
        ReadKind(node, database, blinder, now, registry, opener, references),
    )
