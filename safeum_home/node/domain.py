"""The domain of an open node: every part is made here and handed what it needs."""

from typing import Any

from twisted.internet.threads import deferToThread

from safeum_home.accounts.avatars import Avatars
from safeum_home.accounts.claims import Claims
from safeum_home.accounts.closing import Closing
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.contacts import ContactLimits, Contacts
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.introductions import Introductions
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.logins import Logins
from safeum_home.accounts.number_logins import NumberLogins
from safeum_home.accounts.overview import Accounts
from safeum_home.accounts.password_change import PasswordChange
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.pins import Pins, PinVerifier
from safeum_home.accounts.profile_changes import ProfileChanges
from safeum_home.accounts.profile_views import ProfileViews, WithoutNumbers
from safeum_home.accounts.profiles import Profiles
from safeum_home.accounts.verifications import VerificationLimits, Verifications
from safeum_home.bus.local import LocalBus
from safeum_home.chats.backlog import Backlog
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.files.means import FileStorage
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.group_notices import NoticeWriter
from safeum_home.chats.history import History
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.listing import ChatListing
from safeum_home.chats.messages import Messages
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.starting import Starting
from safeum_home.chats.support import SupportInbox
from safeum_home.chats.support_desk import SupportDesk
from safeum_home.chats.system import SystemMessages, signing, support_contact, system_contact
from safeum_home.chats.typing_signal import TypingSignals
from safeum_home.config import Config
from safeum_home.gateway.dispatch import Routes
from safeum_home.gateway.services import Services
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.contact_sync import make_contact_sync
from safeum_home.node.control import limits_in_use, make_sign_up
from safeum_home.node.files import make_files
from safeum_home.node.groups import make_groups
from safeum_home.node.history import make_history
from safeum_home.node.message_changes import make_message_changes
from safeum_home.node.presence import make_presence, presence_routes
from safeum_home.node.routes import chat_routes, closing_routes, login_routes, number_routes, people_routes
from safeum_home.node.running import Domain as Domain
from safeum_home.node.turning import InThread, Turns
from safeum_home.ports import Database, Forfeits, TextMessages
from safeum_home.protocol.signing import encode_octets
from safeum_home.sealing.vault import Vault
from safeum_home.spawn import spawn


def make_domain(
    config: Config,
    clock: Any,
    database: Database,
    vault: Vault,
    hasher: PasswordHasher,
    texts: TextMessages,
    in_thread: InThread = deferToThread,
    forfeits: Forfeits = (),
    *,
    storage: FileStorage,
) -> Domain:
    """Wire the domain of the node `config` describes. `clock` provides IReactorTime.

    `in_thread` runs what blocks; `forfeits` are ended with each account that is closed. Files lie in
    `storage`.
    """
    name = config.node.name
    blinder, cursors, keyring = vault.blinder, vault.cursors, vault.keyring
    bus = LocalBus()
    system, support = system_contact(name), support_contact(name)

    def milliseconds() -> int:
        return int(clock.seconds() * 1000)

    directory = AccountDirectory(database, keyring, blinder, system, support)
    opener = ChatOpener(keyring, blinder, system.account, support.account, config.support.open)
    presence = make_presence(clock, database, blinder, directory, bus)
    registry = ChatRegistry(database, blinder, opener)
    infos = ChatInfos(blinder, cursors, opener)
    inbox = SupportInbox.of(config.limits, clock.seconds, database)
    signed = signing(name, vault.signer)
    turns = Turns(clock, database, keyring, in_thread)
    files = make_files(config, clock, database, vault, registry, opener, storage, turns.if_due)
    typing = TypingSignals(clock.seconds, registry, bus, presence)
    delivery = Delivery(bus, typing.sent)
    fleeting = FleetingMessages(clock, database, blinder, turns, config.history)
    notices = NoticeWriter(blinder, cursors, system.account, milliseconds, signed, fleeting.waits)
    ways = make_message_changes(
        config, database, vault, registry, opener, infos, directory, bus, milliseconds, files.attachments
    )
    kept = (database, blinder, cursors, registry, delivery, milliseconds, signed, inbox, fleeting)
    messages = Messages(*kept, ways.composing)
    receipts = Receipts(clock, database, blinder, cursors, registry, bus)
    announcer = SystemMessages(registry, messages, system.account, milliseconds)
    devices = Devices(database, blinder, directory, bus, milliseconds, config.limits.devices)
    login_limits = LoginLimits.of(config.limits, clock.seconds)
    sign_up = make_sign_up(config, database, vault, directory, milliseconds)
    verifier = PinVerifier(hasher)
    passwords = PasswordChange(database, directory, devices, hasher, login_limits, verifier)
    claims = Claims(database, blinder, directory, config.numbers, milliseconds)
    side = ContactSide(database, blinder, cursors, directory, config.limits.contacts)
    pins = Pins(database, directory, hasher, verifier, login_limits)
    findable, sync_routes = make_contact_sync(config.contact_sync, clock, database, vault, directory)

    def forget(account: AccountId, login: str) -> None:
        directory.forget_account(account)
        registry.forget_account(account)
        receipts.forget_account(account)
        files.means.forget_account(account)
        presence.forget_account(account)
        spawn(findable.changed(account, login, False), "taking a closed account out of the set")

    groups = make_groups(
        config,
        clock,
        database,
        vault,
        registry,
        opener,
        delivery,
        infos,
        notices,
        directory,
        bus,
        turns,
        lambda: spawn(closing.erased_unseen(), "erasing a group"),
    )
    ended = (forget, forfeits, groups.leave)
    closing = Closing(clock, database, directory, devices, side, bus, verifier, login_limits, turns, *ended)
    logins = Logins(
        name,
        database,
        keyring,
        blinder,
        directory,
        devices,
        hasher,
        closing,
        announcer,
        claims,
        login_limits,
        milliseconds,
        sign_up.admission,
    )
    check_open = sign_up.admission.check_open
    verification_limits = VerificationLimits.of(config.limits, clock.seconds)
    verifications = Verifications(
        texts, verification_limits, config.numbers, clock.seconds, check_open, config.sms.text
    )
    number_logins = NumberLogins(
        database,
        blinder,
        directory,
        devices,
        hasher,
        announcer,
        login_limits,
        logins,
        verifications,
        claims,
        sign_up.admission,
        milliseconds,
        lambda account, number: findable.changed(account, number, False),
    )
    contact_limits = ContactLimits.of(config.limits, clock.seconds)
    contacts = Contacts(name, database, directory, side, registry, bus, contact_limits, presence)
    views = ProfileViews(WithoutNumbers())
    changes = ProfileChanges(database, cursors, directory, side, views, bus)
    change_limit = RateLimit(
        config.limits.profile_changes_per_account,
        config.limits.profile_changes_per_account_burst,
        clock.seconds,
    )
    profiles = Profiles(name, database, blinder, directory, side, views, changes, change_limit)
    avatars = Avatars(database, blinder, directory, side, changes, change_limit)
    listing = ChatListing(name, blinder, cursors, infos, opener, directory, system.account, directory)
    history = History(database, blinder, cursors, registry, listing, receipts)
    introductions = Introductions(name, directory, side, views)
    starting = Starting(database, introductions, listing, registry, receipts)
    switch_limit, history_routes = make_history(
        config, clock, database, vault, registry, opener, infos, delivery, notices, bus, turns, closing.sweep
    )
    sources = (
        *(messages.since, receipts.since, infos.since, side.since, profiles.since),
        *(*groups.sources, *ways.sources),
    )
    backlog = Backlog(database, sources)
    routes: Routes = {
        **login_routes(logins, passwords, devices),
        **number_routes(verifications, number_logins, claims),
        **closing_routes(pins, closing),
        **people_routes(contacts, profiles, avatars),
        **chat_routes(history, starting, messages, receipts, typing),
        **history_routes,
        **presence_routes(presence, database, directory, change_limit),
        **groups.routes,
        **sync_routes,
        **files.routes,
        **sign_up.routes(),
        **ways.routes,
    }
    rate = RateLimit(config.limits.commands_per_second, config.limits.commands_burst, clock.seconds)
    services = Services(
        clock=clock,
        routes=routes,
        bus=bus,
        cursors=cursors,
        receipts=receipts,
        missed=backlog.page,
        committed=lambda: database.committed,
        gave_out=database.gave_out,
        rate=rate,
        limits=config.limits,
        held=fleeting.held,
        node_key=encode_octets(vault.signer.public_key),
        support_chat=registry.support_chat,
        transfers=files.transfers,
    )
    desk = SupportDesk(database, registry, opener, messages, receipts, blinder, support.account)
    limits = limits_in_use(
        config.limits,
        services,
        login_limits,
        contact_limits,
        side,
        devices,
        groups.use,
        support_messages_per_account=inbox.rate,
        profile_changes_per_account=change_limit,
        verifications_per_address=verification_limits.begun,
        history_switches_per_account=switch_limit,
        codes_per_number=verification_limits.codes,
        file_requests_per_account=files.means.rate,
        group_invitations_per_account=groups.limits.invitations,
        group_changes_per_account=groups.limits.changes,
    )
    shown = Accounts(database, directory, bus.connected)
    control = sign_up.control(config, shown, lambda: bus.accounts, limits)
    return Domain(
        services,
        receipts,
        directory,
        registry,
        turns,
        closing,
        findable,
        desk,
        control,
        files,
        presence,
        fleeting,
    )
