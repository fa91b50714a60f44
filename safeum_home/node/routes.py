"""Which function carries out which command; `session.ack` is the session's own."""

from safeum_home.accounts.avatars import Avatars
from safeum_home.accounts.claims import Claims
from safeum_home.accounts.closing import Closing
from safeum_home.accounts.contacts import Contacts
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.logins import Logins
from safeum_home.accounts.number_logins import NumberLogins
from safeum_home.accounts.password_change import PasswordChange
from safeum_home.accounts.pins import Pins
from safeum_home.accounts.profiles import Profiles
from safeum_home.accounts.verifications import Verifications
from safeum_home.chats.history import History
from safeum_home.chats.messages import Messages
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.starting import Starting
from safeum_home.chats.typing_signal import TypingSignals
from safeum_home.gateway.dispatch import Routes
from safeum_home.protocol import commands


def login_routes(logins: Logins, passwords: PasswordChange, devices: Devices) -> Routes:
    return {
        commands.AccountRegister: logins.register,
        commands.AccountPassword: passwords.change,
        commands.SessionLogin: logins.login,
        commands.SessionResume: logins.resume,
        commands.SessionLogout: devices.logout,
        commands.ListDevices: devices.list,
        commands.DeviceRevoke: devices.revoke,
    }


def number_routes(verifications: Verifications, logins: NumberLogins, claims: Claims) -> Routes:
    return {
        commands.VerificationCreate: verifications.create,
        commands.VerificationRequest: verifications.request,
        commands.VerificationSubmit: logins.submit,
        commands.NumberKeep: claims.keep,
    }


def closing_routes(pins: Pins, closing: Closing) -> Routes:
    return {
        commands.AccountPinSet: pins.set,
        commands.AccountPinList: pins.list,
        commands.AccountPinRemove: pins.remove,
        commands.AccountBlock: closing.by_name,
        commands.SessionBlock: closing.own,
    }


def people_routes(contacts: Contacts, profiles: Profiles, avatars: Avatars) -> Routes:
    return {
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
        commands.AvatarSet: avatars.set,
        commands.AvatarRemove: avatars.remove,
        commands.AvatarGet: avatars.get,
    }


def reading_routes(history: History, starting: Starting) -> Routes:
    return {
        commands.SyncStart: starting.start,
        commands.ListChats: history.list,
        commands.ChatHistory: history.history,
    }


def message_routes(messages: Messages, receipts: Receipts, signals: TypingSignals) -> Routes:
    return {
        commands.ChatSend: messages.send,
        commands.ChatRead: receipts.read,
        commands.ChatTyping: signals.typing,
    }
