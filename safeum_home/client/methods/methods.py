"""Every command as a typed method, for the Twisted client and the asyncio client alike.

What a method returns is awaitable: a Deferred in `session.Client`, a future in `aio.Client`.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from safeum_home.client.errors import local
from safeum_home.client.methods.call import CallMethods
from safeum_home.client.methods.here import this_device as this_device
from safeum_home.client.methods.history import HistoryMethods
from safeum_home.client.methods.key import KeyMethods
from safeum_home.client.methods.message import MessageMethods
from safeum_home.client.methods.money import MoneyMethods
from safeum_home.client.methods.presence import PresenceMethods
from safeum_home.client.methods.push import PushMethods
from safeum_home.client.methods.voicemail import VoicemailMethods
from safeum_home.errors import Code, Problem
from safeum_home.images import Picture, clean
from safeum_home.protocol import commands as c
from safeum_home.protocol.invites import code_in
from safeum_home.protocol.types import MAX_AVATAR, DeviceInfo, OwnProfile, ProfileField, ShownField

R = TypeVar("R", bound=c.Result)


def _code(invite: str | None) -> str | None:
    """The code of an invite that was given as a link, or as what it holds."""
    return None if invite is None else code_in(invite) or None


def cleaned(data: bytes) -> Picture:
    """A picture without its metadata; raises as `set_avatar` does."""
    try:
        picture = clean(data)
    except Problem as problem:
        raise local(problem.code, problem.detail) from None
    if len(picture.data) > MAX_AVATAR:
        raise local(Code.TOO_LARGE, f"{len(picture.data)} octets; {MAX_AVATAR} is the most")
    return picture


class Methods(
    MessageMethods,
    HistoryMethods,
    PresenceMethods,
    PushMethods,
    KeyMethods,
    CallMethods,
    MoneyMethods,
    VoicemailMethods,
):
    """Signing in, and the commands of an open session. All raise the `ClientError`s of `errors`."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    @abstractmethod
    def _enter(self, params: c.Params) -> Awaitable[c.Opened]:
        """Give one that opens it."""

    @abstractmethod
    def _greet(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command before the session is open."""

    @abstractmethod
    def _milliseconds(self) -> float:
        """The time, as the client's clock has it."""

    def policy(self) -> Awaitable[c.PolicyText]:
        """What the node keeps, and what for: to be shown before anybody agrees. Also before logging in."""
        return self._ask(c.PolicyGet(), c.PolicyText)

    def accept_policy(self, version: str) -> Awaitable[c.Done]:
        """The account's owner was shown the policy of `version`, and agrees (see `Opened.policy`)."""
        return self._ask(c.PolicyAccept(version), c.Done)

    def register(
        self,
        username: str,
        password: str,
        device: DeviceInfo | None = None,
        *,
        consent: str | None,
        invite: str | None = None,
    ) -> Awaitable[c.Opened]:
        """Sign up, and be logged in.

        `consent` is the version of the policy that was shown and agreed to; `invite` a link or its code,
        where the node asks for one (`invite_needed`).
        """
        about = device or this_device()
        return self._enter(c.AccountRegister(username, password, about, consent, _code(invite)))

    def create_verification(self, number: str) -> Awaitable[c.Verification]:
        """Begin to prove a mobile number. Nothing is sent yet: show its reader the notice first."""
        return self._greet(c.VerificationCreate(number), c.Verification)

    def request_code(self, verification: str) -> Awaitable[c.CodeSent]:
        """Have the code sent as a text message, or another one."""
        return self._greet(c.VerificationRequest(verification), c.CodeSent)

    def submit_code(
        self,
        verification: str,
        code: str,
        password: str,
        device: DeviceInfo | None = None,
        claim: bool = False,
        consent: str | None = None,
        invite: str | None = None,
    ) -> Awaitable[c.Opened]:
        """Prove the number, and be logged in: to a new account, or with its password to one that exists.

        A new account needs `consent`, and `invite` where the node asks for one, as in `register`.
        """
        about = device or this_device()
        return self._enter(
            c.VerificationSubmit(verification, code, password, about, claim, consent, _code(invite))
        )

    def keep_number(self) -> Awaitable[c.Done]:
        """Keep one's number, which somebody else has claimed."""
        return self._ask(c.NumberKeep(), c.Done)

    def login(self, username: str, password: str, device: DeviceInfo | None = None) -> Awaitable[c.Opened]:
        """Log in with a password: a new device. After a refusal another try may follow."""
        return self._enter(c.SessionLogin(username, password, device or this_device()))

    def resume(self, token: str, since: str | None = None) -> Awaitable[c.Opened]:
        """Come back as a device, with its token; with `since`, all events after that cursor follow."""
        return self._enter(c.SessionResume(token, since))

    def call(self, params: c.Params) -> Awaitable[Any]:
        """Any command, by its parameters: `await client.call(ChatSend(...))` is a `Sent`."""
        return self._ask(params, c.Result)

    def history(self, chat: str, before: str | None = None, limit: int = 50) -> Awaitable[c.History]:
        """The messages before `before`, or the newest; oldest first."""
        return self._ask(c.ChatHistory(chat, before, limit), c.History)

    def read(self, chat: str, upto: str) -> Awaitable[c.Done]:
        """Everything up to the message `upto` was read."""
        return self._ask(c.ChatRead(chat, upto), c.Done)

    def chats(self, before: str | None = None, limit: int = 25) -> Awaitable[c.ChatList]:
        """A page of chats, newest first."""
        return self._ask(c.ListChats(before, limit), c.ChatList)

    def contacts(self, after: str | None = None, limit: int = 50) -> Awaitable[c.ContactList]:
        """A page of the contact list."""
        return self._ask(c.ListContacts(after, limit), c.ContactList)

    def find(self, address: str) -> Awaitable[c.ContactFound]:
        """The account behind `login@node`."""
        return self._ask(c.ContactFind(address), c.ContactFound)

    def request(self, account: str, address: str) -> Awaitable[c.Done]:
        """Ask an account that was found to become a contact."""
        return self._ask(c.ContactRequest(account, address), c.Done)

    def accept(self, account: str) -> Awaitable[c.Done]:
        """Accept a request."""
        return self._ask(c.ContactAccept(account), c.Done)

    def decline(self, account: str) -> Awaitable[c.Done]:
        """Drop a request; the other side is not told."""
        return self._ask(c.ContactDecline(account), c.Done)

    def remove(self, account: str) -> Awaitable[c.Done]:
        """Take an account out of the contact list."""
        return self._ask(c.ContactRemove(account), c.Done)

    def block(self, account: str) -> Awaitable[c.Done]:
        """Refuse an account for good."""
        return self._ask(c.ContactBlock(account), c.Done)

    def unblock(self, account: str) -> Awaitable[c.Done]:
        """Lift a block."""
        return self._ask(c.ContactUnblock(account), c.Done)

    def profile(self, account: str | None = None) -> Awaitable[c.ProfileResult]:
        """A contact's profile, or one's own."""
        return self._ask(c.ProfileGet(account), c.ProfileResult)

    def set_profile(
        self,
        display_name: str = "",
        status: str = "",
        about: str = "",
        fields: Iterable[ShownField] = (),
        show_safenum: bool = False,
    ) -> Awaitable[c.Done]:
        """Replace one's own profile, all but the picture: what is left out is empty afterwards."""
        lines = tuple(ProfileField(each.label, each.value) for each in fields)
        profile = OwnProfile(display_name, status, about, lines, show_safenum)
        return self._ask(c.ProfileSet(profile), c.Done)

    def set_avatar(self, data: bytes) -> Awaitable[c.AvatarKept]:
        """Replace one's picture by a JPEG, PNG or WebP of at most 512x512 pixels and 40 KiB.

        Its metadata (camera, place, orientation) is taken out before it leaves this computer. Raises
        `invalid_image`, `animated_image` and `too_large` without asking the node.
        """
        picture = cleaned(data)
        return self._ask(c.AvatarSet(picture.type, picture.data), c.AvatarKept)

    def remove_avatar(self) -> Awaitable[c.Done]:
        """Have no picture."""
        return self._ask(c.AvatarRemove(), c.Done)

    def avatar(self, avatar: str, account: str | None = None) -> Awaitable[c.AvatarResult]:
        """The picture that a contact's profile names, or one's own; `not_found` where it is another now."""
        return self._ask(c.AvatarGet(avatar, account), c.AvatarResult)

    def change_password(self, current: str, new: str) -> Awaitable[c.Done]:
        """Change the password; all other devices are logged out."""
        return self._ask(c.AccountPassword(current, new), c.Done)

    def devices(self) -> Awaitable[c.DeviceList]:
        """The devices that hold a token of this account."""
        return self._ask(c.ListDevices(), c.DeviceList)

    def revoke(self, device: str) -> Awaitable[c.Done]:
        """Revoke a device's token and end its session."""
        return self._ask(c.DeviceRevoke(device), c.Done)

    def set_pin(self, password: str, pin: str) -> Awaitable[c.PinSet]:
        """Set a PIN of 6 to 12 digits that closes the account for ever, whoever enters it; up to three."""
        return self._ask(c.AccountPinSet(password, pin), c.PinSet)

    def pins(self) -> Awaitable[c.PinCount]:
        """How many PINs are set."""
        return self._ask(c.AccountPinList(), c.PinCount)

    def remove_pin(self, password: str, ordinal: int) -> Awaitable[c.Done]:
        """Remove a PIN, by its place in the order in which they were set."""
        return self._ask(c.AccountPinRemove(password, ordinal), c.Done)

    def close_account(self, pin: str) -> Awaitable[c.Done]:
        """Close the session's own account for ever. Nothing brings it back."""
        return self._ask(c.SessionBlock(pin), c.Done)

    def close_account_of(self, username: str, pin: str) -> Awaitable[c.Done]:
        """Close an account for ever, without logging in; raises `wrong_pin` for whatever is wrong."""
        return self._greet(c.AccountBlock(username, pin), c.Done)

    def file_quota(self) -> Awaitable[c.FileQuotaResult]:
        """What this account's files take and may take, and the size of the largest file that is taken."""
        return self._ask(c.FileQuota(), c.FileQuotaResult)

    def set_findable(self, findable: bool) -> Awaitable[c.Findable]:
        """Allow or forbid that those who know this account's number find the account."""
        return self._ask(c.AccountFindable(findable), c.Findable)

    def is_findable(self) -> Awaitable[c.Findable]:
        """Whether that is allowed."""
        return self._ask(c.AccountFindable(), c.Findable)
