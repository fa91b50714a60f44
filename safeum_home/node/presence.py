"""Presence, wired: who is there, and the settings of those who hide it."""

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.privacy import MutualContacts, MutualContactsHere, PrivacySettings
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.ports import Database
from safeum_home.presence.presence import OtherNodes, WhoIsThere
from safeum_home.protocol import commands


def make_presence(means: DomainMeans, side: ContactSide) -> WhoIsThere:
    """From now on it is told by the bus who comes and goes."""
    blinder, database = means.vault.blinder, means.database
    mutual = MutualContacts(database, means.directory, side)
    others = OtherNodes(MutualContactsHere(database, blinder), means.peers.tell_now)
    presence = WhoIsThere(means.clock, blinder, mutual, others=others)
    means.bus.observe(presence)
    return presence


def presence_routes(
    presence: WhoIsThere, database: Database, directory: AccountDirectory, limit: RateLimit
) -> Routes:
    """`limit` is how often an account changes its settings."""
    settings = PrivacySettings(database, directory, presence, limit)
    return {
        commands.PresenceSet: presence.set,
        commands.PresenceGet: presence.get,
        commands.AccountPrivacy: settings.privacy,
    }
