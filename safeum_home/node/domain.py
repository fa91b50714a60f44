"""The domain of an open node: every part is made here and handed what it needs."""

from dataclasses import dataclass
from typing import Any

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.contacts import ContactLimits, Contacts
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.logins import Logins
from safeum_home.accounts.password_change import PasswordChange
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.profiles import Profiles
from safeum_home.bus.local import LocalBus
from safeum_home.chats.backlog import Backlog
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.history import History
from safeum_home.chats.messages import Messages
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.support import SupportInbox
from safeum_home.chats.support_desk import SupportDesk
from safeum_home.chats.system import SystemMessages, signing, support_contact, system_contact
from safeum_home.chats.typing_signal import TypingSignals
from safeum_home.config import Config
from safeum_home.gateway.dispatch import Routes
from safeum_home.gateway.services import Services
from safeum_home.limits import RateLimit
from safeum_home.ports import Database
from safeum_home.protocol import commands
from safeum_home.protocol.signing import encode_octets
from safeum_home.sealing.vault import Vault


@dataclass(frozen=True, slots=True)
class Domain:
    """What the edge needs of an open node, and what has to be ended with it."""

    services: Services
    receipts: Receipts
    directory: AccountDirectory
    registry: ChatRegistry
    support: SupportDesk

    def wipe(self) -> None:
        """Zero the keys of accounts and chats: nothing works afterwards."""
        self.directory.wipe()
        self.registry.wipe()


def make_domain(
    config: Config, clock: Any, database: Database, vault: Vault, hasher: PasswordHasher
) -> Domain:
    """Wire the domain of the node `config` describes. `clock` provides IReactorTime."""
    name = config.node.name
    blinder, cursors, keyring = vault.blinder, vault.cursors, vault.keyring
    bus = LocalBus()
    system, support = system_contact(name), support_contact(name)

    def milliseconds() -> int:
        return int(clock.seconds() * 1000)

    directory = AccountDirectory(database, keyring, blinder, system, support)
    registry = ChatRegistry(database, keyring, blinder, system.account, support.account, config.support.open)
    inbox = SupportInbox.of(config.limits, clock.seconds, database)
    signed = signing(name, vault.signer)
    messages = Messages(database, blinder, cursors, registry, Delivery(bus), milliseconds, signed, inbox)
    receipts = Receipts(clock, database, blinder, cursors, registry, bus)
    announcer = SystemMessages(registry, messages, system.account, milliseconds)
    devices = Devices(database, blinder, directory, bus, milliseconds, config.limits.devices)
    login_limits = LoginLimits.of(config.limits, clock.seconds)
    passwords = PasswordChange(database, directory, devices, hasher, login_limits)
    logins = Logins(
        name,
        database,
        keyring,
        blinder,
        directory,
        devices,
        hasher,
        announcer,
        login_limits,
        milliseconds,
        config.registration.open,
    )
    side = ContactSide(database, blinder, cursors, directory, config.limits.contacts)
    contact_limits = ContactLimits.of(config.limits, clock.seconds)
    contacts = Contacts(name, database, directory, side, registry, bus, contact_limits)
    profiles = Profiles(name, database, blinder, cursors, directory, side, bus)
    history = History(name, database, blinder, cursors, registry, directory, receipts, system.account)
    backlog = Backlog(database, (messages.since, receipts.since, side.since, profiles.since))
    routes = _routes(
        logins,
        passwords,
        devices,
        contacts,
        profiles,
        messages,
        receipts,
        history,
        TypingSignals(registry, bus),
    )
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
        node_key=encode_octets(vault.signer.public_key),
        support_chat=registry.support_chat,
    )
    desk = SupportDesk(database, registry, messages, receipts, blinder, support.account)
    return Domain(services, receipts, directory, registry, desk)


def _routes(
    logins: Logins,
    passwords: PasswordChange,
    devices: Devices,
    contacts: Contacts,
    profiles: Profiles,
    messages: Messages,
    receipts: Receipts,
    history: History,
    signals: TypingSignals,
) -> Routes:
    """Which function carries out which command; `session.ack` is the session's own."""
    return {
        commands.AccountRegister: logins.register,
        commands.AccountPassword: passwords.change,
        commands.SessionLogin: logins.login,
        commands.SessionResume: logins.resume,
        commands.SessionLogout: devices.logout,
        commands.ListDevices: devices.list,
        commands.DeviceRevoke: devices.revoke,
        commands.ContactFind: contacts.find,
        commands.ContactRequest: contacts.request,
        commands.ContactAccept: contacts.accept,
        commands.ContactDecline: contacts.decline,
        commands.ContactRemove: contacts.remove,
        commands.ContactBlock: contacts.block,
        commands.ContactUnblock: contacts.unblock,
        commands.ListContacts: contacts.list,
        commands.ProfileGet: profiles.get,
        commands.ProfileSet: profiles.set,
        commands.ListChats: history.list,
        commands.ChatHistory: history.history,
        commands.ChatSend: messages.send,
        commands.ChatRead: receipts.read,
        commands.ChatTyping: signals.typing,
    }
