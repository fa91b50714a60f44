"""What happens at a desk when the node, or the connection to it, has something to say."""

from contextlib import suppress

from safeum_home.client.desk import key_changes, waiting_posts
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.group_names import learn, named_by_members
from safeum_home.client.desk.secure_hearing import SecureHearing
from safeum_home.client.desk.wiping import wipe, wipe_past
from safeum_home.client.errors import ClientError
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.slash.group_lookup import secure_size, title
from safeum_home.client.slash.secure_lookup import pair_with
from safeum_home.client.state import alerts
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.state.filling import Loaded
from safeum_home.client.words.group_words import count
from safeum_home.client.words.message_words import body_text
from safeum_home.client.words.names import SECURE_MARK, label
from safeum_home.client.words.peer_receipts import not_confirmed
from safeum_home.client.words.text import safe
from safeum_home.protocol.events import (
    ChatUpdated,
    ContactChanged,
    GroupInvitation,
    KeysChanged,
    MemberChanged,
    PostChanged,
    ProfileChanged,
    SettingsChanged,
)
from safeum_home.protocol.group_types import Invitation
from safeum_home.protocol.types import ChatInfo, Contact, ContactState, Message, Notice, Profile
from safeum_home.spawn import spawn

FORGED = "⚠ Not from your node, though it says so: its signature is missing or wrong."
"""What is said of a message in the node's name that does not verify."""

HISTORY_OFF = (
    "The history is off: all that was here is erased, for all. Messages live until they are delivered."
)
CONFIRMED = "{nodes} confirmed that all of this was erased there as well. /receipt FILE saves that."
HISTORY_ON = "The history is on: messages are kept from now on."


class Listening:
    """`client.listen(Listening(desk).heard)`, once the client's `state` was loaded."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked: dict[str, str] = {}
        """What groups were called when their invitations were told, by their chats."""
        self._called: dict[str, str] = {}
        """The names that contacts had; what they have now is in the state already when it is told."""
        self._policy = desk.state.policy
        """The version that its reader was last told of."""
        self._secure = SecureHearing(desk, self._announce)
        self._begin()
        if desk.state.policy is None:
            spawn(self._agreed(), "asking for the policy's version")
        for contact in desk.wanted():
            self._wants(contact)

    async def _agreed(self) -> None:
        """Who was not asked for consent at the login has agreed to what is in force."""
        with suppress(ClientError):  # then /policy and /agree go by what the node says when they are used
            self._desk.agreed_policy = (await self._desk.client.policy()).version

    def _begin(self) -> None:
        self._desk.begin()
        self._learn_titles()
        spawn(self._invitations(), "asking for invitations")
        spawn(named_by_members(self._desk), "asking who is in secure chats")
        contacts = self._desk.state.contacts.values()
        self._histories = {view.chat: (view.history, view.erased) for view in self._desk.state.chats}
        self._pending = {view.chat: view.pending for view in self._desk.state.chats}
        self._called = {contact.account: label(contact.display_name) for contact in contacts}

    async def _invitations(self) -> None:
        with suppress(ClientError):  # /invitations shows those that come
            await self._desk.client.invitations()
            for invitation in self._desk.state.groups.invitations.values():
                self._invited(invitation)

    def heard(self, event: Heard) -> None:
        """An event of the node, or `LinkChanged`."""
        self._desk.names.forget()
        self._secure.heard(event)
        if isinstance(event, LinkChanged):
            self._link(event)
        elif isinstance(event, Message):
            self._message(event)
        elif isinstance(event, GroupInvitation):
            self._invited(event.invitation)
        elif isinstance(event, MemberChanged):
            self._member(event)
        elif isinstance(event, ContactChanged):
            self._contact(event.contact, event.erased)
        elif isinstance(event, ProfileChanged):
            self._profile(event.account, event.profile)
        elif isinstance(event, KeysChanged):
            key_changes.changed(self._desk, event)
        elif isinstance(event, ChatUpdated):
            self._updated(event.chat, event.cursor)
        elif isinstance(event, SettingsChanged):
            self._desk.drafts.noticed(event.chat)
        elif isinstance(event, PostChanged):
            waiting_posts.refused(self._desk, event)
        elif isinstance(event, Loaded):
            self._more()
        if isinstance(event, ChatUpdated | Loaded):
            self._learn_titles()
        self._desk.refresh()

    def _more(self) -> None:
        """More contacts were loaded."""
        for contact in self._desk.state.contacts.values():
            if contact.account not in self._called:
                self._called[contact.account] = label(contact.display_name)
                if contact.state is ContactState.INCOMING:
                    self._wants(contact)

    def _link(self, event: LinkChanged) -> None:
        desk = self._desk
        desk.link, desk.link_at = event, desk.now()
        if event.untrusted:
            desk.untrusted = True
            desk.leave()
        if event.reset:
            self._begin()
            desk.open(desk.current if desk.chat is not None else None)
            desk.tell("The node has forgotten what came last. This is what it holds now.")
        if event.link is Link.ONLINE and desk.state.policy not in (None, self._policy):
            self._policy = desk.state.policy
            desk.tell("The policy of this node has changed: /policy shows it, /agree agrees to it.")
        if event.link is Link.CLOSED:
            desk.tell(
                f"The session is over: {safe(event.reason)} Nothing more will arrive; /quit leaves.", "error"
            )

    def _message(self, message: Message) -> None:
        desk = self._desk
        view = desk.state.chat(message.chat)
        if view is None:
            return
        if view.secure or (view.kind == "direct" and view.chat not in self._titles):
            self._titles[view.chat] = desk.names.title(view)
        if message.sender == desk.state.account:
            return
        if view.kind == "group":
            spawn(learn(desk, view), "asking who they are")
        if message.chat != desk.current:
            if desk.state.authentic(message) is False:
                desk.banner = FORGED
            elif not alerts.own(desk.device, message) and (shown := desk.secure.shown(message)) is not None:
                self._announce(view, shown)
        elif desk.mark is None and not desk.reading:
            desk.pages.seen(view)

    def _announce(self, view: ChatView, message: Message) -> None:
        """Something has come elsewhere."""
        if not self._muted(view, message):
            words = body_text(message, self._desk.names.name)
            self._desk.banner = f"{self._from(view, message)}: {words}"

    def _muted(self, view: ChatView, message: Message) -> bool:
        return view.muted(self._desk.now()) and self._desk.state.account not in message.mentions

    def _from(self, view: ChatView, message: Message) -> str:
        title, desk = self._desk.names.title(view), self._desk
        if view.kind != "group" or isinstance(message.body, Notice):
            return title
        if desk.names.partner(view) == message.sender:  # the chat goes by that name
            return title
        return f"{title}, {desk.names.name(message.sender)}"

    def _invited(self, one: Invitation) -> None:
        before, name = self._asked.get(one.chat), title(self._desk, one)
        self._asked[one.chat] = name
        if before == name:
            return
        if before is not None:
            self._tell(f"{before}, into which you are invited, is called {name} now.", one.chat)
            return
        who = self._desk.names.of_member(one.by, one.display_name, one.address)
        if one.secure:
            text = (
                f"{who} invites you into a secure chat {secure_size(one)}: /accept {name} or /decline {name}"
            )
            self._tell(text, one.chat)
            return
        self._tell(
            f"{who} invites you into {name} ({count(one.members)}): /accept {name} or /decline {name}",
            one.chat,
        )

    def _member(self, event: MemberChanged) -> None:
        """The state has dropped the chat by now, where one is not in it any more."""
        desk, member = self._desk, event.member
        if member.account != desk.state.account:
            return
        self._asked.pop(event.chat, None)
        if member.state in ("member", "invited"):
            return
        was_here = desk.current == event.chat
        title = self._titles.pop(event.chat, None)
        wipe(desk, event.chat)
        if title is None:
            return  # an invitation was declined, or taken back
        if member.state == "removed":
            self._tell(f"You were removed from {title}.")
        elif was_here:
            self._tell(f"You have left {title if SECURE_MARK in title else 'the group'}.")

    def _learn_titles(self) -> None:
        """What chats are called: of one that is gone nothing is in the state when it is told."""
        title, kinds = self._desk.names.title, ("group", "direct")
        self._titles = {view.chat: title(view) for view in self._desk.state.chats if view.kind in kinds}

    def _contact(self, contact: Contact, erased: bool) -> None:
        desk = self._desk
        self._called[contact.account] = label(contact.display_name)
        name, login = desk.names.full(contact), desk.names.short(contact.address)
        if contact.state is ContactState.INCOMING:
            self._wants(contact)
        elif contact.state is ContactState.ACCEPTED:
            self._tell(f"You and {name} are contacts now: /chat {login}")
        elif contact.state is ContactState.CLOSED:
            wipe(self._desk, contact.chat)
            self._tell(f"{name} has closed the account. The chat is gone; /remove {login} removes the entry.")
        elif contact.state is ContactState.REMOVED:
            self._tell(f"{name} is no longer your contact.")
        elif erased:
            wipe(desk, contact.chat)
            if (title := self._titles.pop(contact.chat, None)) is not None:
                self._tell(f"{title} has closed the account. The chat is gone.")

    def _updated(self, chat: ChatInfo, place: str) -> None:
        """The chat is now this; what it was is in the state no more.

        Of a chat that is new here an erasure is news only where this very event, at `place`, tells of it.
        """
        new = (True, None if place == chat.erased else chat.erased)
        before = self._histories.get(chat.chat, new)
        self._histories[chat.chat] = now = (chat.history, chat.erased)
        if before[1] != chat.erased:
            wipe_past(self._desk, chat.chat)
        if before != now:
            self._desk.tell(HISTORY_ON if chat.history else HISTORY_OFF, "contact", chat.chat)
        self._confirmed(chat)

    def _confirmed(self, chat: ChatInfo) -> None:
        """What other nodes have erased of the chat: whether all have."""
        before = self._pending.get(chat.chat, ())
        self._pending[chat.chat] = chat.pending
        if chat.pending and chat.pending != before:
            self._desk.tell(f"{not_confirmed(chat.pending).capitalize()}.", "contact", chat.chat)
        elif before and not chat.pending:
            nodes = f"{safe(', '.join(before))} {'has' if len(before) == 1 else 'have'}"
            self._desk.tell(CONFIRMED.format(nodes=nodes), "contact", chat.chat)

    def _wants(self, contact: Contact) -> None:
        name, login = self._desk.names.full(contact), self._desk.names.short(contact.address)
        self._tell(f"{name} asks to be your contact: /accept {login} or /decline {login}")

    def _tell(self, text: str, about: str | None = None) -> None:
        """With a name in it: so not where the node writes. `about` is a chat that it has words of."""
        view = self._desk.chat
        if view is not None and view.of_node:
            self._desk.banner = text
        else:
            self._desk.tell(text, "contact", about=about)

    def _profile(self, account: str, profile: Profile) -> None:
        """Nobody becomes somebody else unseen."""
        contact = self._desk.state.contacts.get(account)
        if contact is None:
            return
        before, name = self._called.get(account, ""), label(profile.display_name)
        self._called[account] = name
        if name != before:
            login = self._desk.names.short(contact.address)
            now = f"is now called {name}" if name else "has no name any more"
            was = f" (before: {before})" if before else ""
            self._desk.tell(f"{login} {now}{was}.", "contact", contact.chat)
            if (pair := pair_with(self._desk, account)) is not None:
                self._desk.tell(f"{login} {now}{was}.", "contact", pair.chat)
