"""Presence, wired: who is there, and the settings of those who hide it."""

from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.privacy import MutualContacts, PrivacySettings
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.ports import Database
from safeum_home.presence.presence import WhoIsThere
from safeum_home.protocol import commands


def make_presence(means: DomainMeans) -> WhoIsThere:
    """From now on it is told by the bus who comes and goes."""
    mutual = MutualContacts(means.database, means.directory)
    presence = WhoIsThere(means.clock, means.vault.blinder, mutual)
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
