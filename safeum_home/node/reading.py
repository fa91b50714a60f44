"""What clients read of their chats when they begin, and page by page, made and wired."""

from safeum_home.accounts.introductions import Introductions
from safeum_home.chats.history import History
from safeum_home.chats.listing import ChatListing
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.starting import Starting
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import system_account
from safeum_home.node.means import DomainMeans
from safeum_home.node.routes import reading_routes


def make_reading(means: DomainMeans, receipts: Receipts, introductions: Introductions) -> Routes:
    """`introductions` are the names of those who are in the chats."""
    database, registry, directory = means.database, means.registry, means.directory
    blinder, cursors = means.vault.blinder, means.vault.cursors
    system = system_account(means.node)
    listing = ChatListing(blinder, cursors, means.infos, means.opener, directory, system, directory)
    history = History(database, blinder, cursors, registry, listing, receipts, means.posts.box)
    return reading_routes(history, Starting(database, introductions, listing, registry, receipts))
