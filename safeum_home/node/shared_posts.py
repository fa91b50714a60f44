"""What is written in groups across nodes, made and wired: at the node that orders a group, and elsewhere."""

from safeum_home.chats.across.acts import Acts
from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.group_answers import PostedKind
from safeum_home.chats.across.group_authors import Authors
from safeum_home.chats.across.group_markers import ReadKind
from safeum_home.chats.across.group_messages import GroupChangeKind, GroupMessageKind, GroupMessages
from safeum_home.chats.across.group_posts import PostKind
from safeum_home.chats.across.group_reactions import GroupPinsKind, GroupReactionKind
from safeum_home.chats.across.group_references import GroupReferences
from safeum_home.chats.across.group_shown import GroupShown
from safeum_home.chats.across.lives import LivesAcross
from safeum_home.chats.system import signing
from safeum_home.node.means import DomainMeans
from safeum_home.node.message_changes import MessageWays
from safeum_home.node.messaging import MessagingParts
from safeum_home.ports.federation import SharedKind


def make_shared_posts(
    means: DomainMeans, messaging: MessagingParts, ways: MessageWays, lives: LivesAcross
) -> tuple[SharedKind, ...]:
    """The kinds of objects in groups of which other nodes are told."""
    node, database, registry, opener = means.node, means.database, means.registry, means.opener
    blinder, cursors, now, box = means.vault.blinder, means.vault.cursors, means.milliseconds, means.posts.box
    altering, changes, delivery = ways.altering, ways.changes, messaging.delivery
    references = GroupReferences(node, blinder, cursors)
    limit = messaging.rates["events_per_hub"]
    arrivals, authors = Arrivals(registry, now, lives), Authors(means.peers, now, limit)
    shown = GroupShown(node, opener, references, Acts(references))
    messages = GroupMessages(
        node,
        database,
        cursors,
        registry,
        opener,
        references,
        arrivals,
        authors,
        altering,
        changes,
        delivery,
        box,
        means.group_files,
        signing(node, means.vault.signer),
    )
    return (
        GroupMessageKind(shown, messages),
        GroupChangeKind(shown, messages),
        GroupReactionKind(database, registry, shown, references, authors, altering, changes),
        GroupPinsKind(database, registry, opener, shown, references, altering, ways.pins, limit),
        PostKind(
            database,
            blinder,
            cursors,
            registry,
            references,
            arrivals,
            altering,
            changes,
            ways.pins,
            delivery,
            means.telling,
            means.peers,
            box,
            means.group_files,
        ),
        PostedKind(node, database, box, now),
        ReadKind(node, database, blinder, now, registry, opener, references),
    )
