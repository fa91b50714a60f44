"""Direct chats with accounts of other nodes: what is told of them and heard, made and wired."""

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.deletions import DeletionKind
from safeum_home.chats.across.history import ErasedKind, HistoryKind
from safeum_home.chats.across.lives import LivesAcross
from safeum_home.chats.across.markers import MarkerKind
from safeum_home.chats.across.messages import MessageKind
from safeum_home.chats.across.pins import PinsKind
from safeum_home.chats.across.reactions import ReactionKind
from safeum_home.chats.across.references import References
from safeum_home.chats.across.shown import Shown
from safeum_home.node.means import DomainMeans
from safeum_home.node.message_changes import MessageWays
from safeum_home.node.messaging import MessagingParts
from safeum_home.ports.federation import SharedKind


def make_shared_chats(
    means: DomainMeans, messaging: MessagingParts, ways: MessageWays, lives: LivesAcross
) -> tuple[SharedKind, ...]:
    """The kinds of objects in chats of which other nodes are told; `lives` hears of their histories."""
    blinder, cursors, database = means.vault.blinder, means.vault.cursors, means.database
    altering, changes, opener = ways.altering, ways.changes, means.opener
    shown, references = Shown(means.node, opener), References(means.node, blinder, cursors)
    limit = messaging.rates["events_per_foreign_account"]
    arrivals = Arrivals(means.registry, means.milliseconds, lives, limit)
    return (
        MessageKind(
            database,
            blinder,
            cursors,
            shown,
            references,
            arrivals,
            altering,
            changes,
            messaging.delivery,
            messaging.fleeting,
            means.foreign_files,
        ),
        DeletionKind(database, blinder, shown, arrivals, altering, changes),
        MarkerKind(database, blinder, opener, references, arrivals, messaging.receipts),
        PinsKind(database, opener, references, arrivals, altering, ways.pins),
        ReactionKind(database, blinder, opener, references, arrivals, altering, changes),
        HistoryKind(means.node, opener, arrivals, lives),
        ErasedKind(
            means.node, database, opener, means.registry, means.infos, means.bus, means.turns, arrivals
        ),
    )
