"""Conferences at a desk: which ring, who is in the one that one is in, and what has become of them."""

from typing import TYPE_CHECKING

from safeum_home.client.calling.conference import Conference, ConferenceChanged
from safeum_home.client.calling.conference_machine import ConferenceStage
from safeum_home.client.calling.conferences import Ringing
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link import LinkState
from safeum_home.client.calling.peer import Peer
from safeum_home.client.desk.group_names import learn, stranger
from safeum_home.client.events import Heard
from safeum_home.client.words.call_words import to_compare
from safeum_home.client.words.names import GROUP_MARK
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

TROUBLE = {
    CallEnd.TAMPERED: "⚠ Somebody between you and {name} has interfered: {name} is not heard",
    CallEnd.FAILED: "No way was found to {name}, who is not heard",
}


class ConferenceDesk:
    """What a desk knows of its conferences; `take` begins to."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._ringing: list[Ringing] = []
        self._seen: dict[tuple[str, str], object] = {}
        """Who is in the conference, with what was told of them last; by their accounts and devices."""
        self._joined = False

    def take(self) -> None:
        """Ring from now on."""
        self._desk.client.on_conference(self._rings)
        self._desk.client.listen(self._heard)

    @property
    def current(self) -> Conference | None:
        """The one that one is in."""
        conferences = self._desk.client.conferences
        return conferences[0] if conferences else None

    @property
    def waiting(self) -> list[Ringing]:
        """Those that ring."""
        self._ringing = [each for each in self._ringing if not each.over]
        return list(self._ringing)

    def words(self, ringing: Ringing, alone: bool) -> str:
        """Who has it ring, and what can be done; `alone`: nothing else rings."""
        name, group = self._desk.names.name(ringing.account), self.group(ringing.chat)
        decline = "/decline" if alone else f"/decline {group}"
        return f"{name} wants to speak in {self.title(ringing.chat)}: /conference {group} or {decline}"

    def line(self) -> str:
        """How it is, for the last line of the screen; empty where nothing is."""
        conference = self.current
        if conference is None:
            return ""
        people = len([peer for peer in conference.peers if peer.state is LinkState.CONNECTED])
        muted = ", muted" if conference.muted else ""
        return f"conference in {self.title(conference.chat)}: you and {people}{muted}"

    def title(self, chat: str) -> str:
        """The group as it is called, with its mark."""
        view = self._desk.state.chat(chat)
        return "a group" if view is None else self._desk.names.title(view)

    def group(self, chat: str) -> str:
        """The group's name, without its mark."""
        return self.title(chat).removeprefix(GROUP_MARK).strip()

    def _rings(self, ringing: Ringing) -> None:
        self._ringing.append(ringing)
        self._desk.bell()
        alone = self._desk.calls.ringing == 1
        self._desk.tell(self.words(ringing, alone), "contact", about=ringing.chat)

    def _heard(self, event: Heard) -> None:
        if isinstance(event, ConferenceChanged):
            self._changed(event.conference)
            self._desk.refresh()

    def _changed(self, conference: Conference) -> None:
        tell, title = self._desk.tell, self.title(conference.chat)
        if conference.stage is ConferenceStage.ENDED:
            if self._joined:
                tell(f"You are not in the conference of {title} any more.", about=conference.chat)
            self._joined = False
            self._seen.clear()
            self._desk.calls.over()
            return
        if conference.stage is ConferenceStage.JOINED and not self._joined:
            self._joined = True
            tell(f"You are in the conference of {title}. /hangup leaves it.", about=conference.chat)
        self._peers(conference)

    def _peers(self, conference: Conference) -> None:
        there = {(peer.account, peer.device): peer for peer in conference.peers}
        for gone in [who for who in self._seen if who not in there]:
            if self._seen.pop(gone):
                self._tell(conference, f"{self._desk.names.name(gone[0])} has left.")
        for who, peer in there.items():
            self._seen.setdefault(who, None)
            told = peer.why if peer.why in TROUBLE else peer.state is LinkState.CONNECTED and peer.words
            if told and told != self._seen[who]:
                self._seen[who] = told
                spawn(self._introduce(conference, peer), "asking who they are")

    async def _introduce(self, conference: Conference, peer: Peer) -> None:
        """Tell how it is with somebody, by name: of a member who has written nothing yet none is known."""
        view = self._desk.state.chat(conference.chat)
        if view is not None and stranger(self._desk, view.chat, peer.account):
            await learn(self._desk, view, also=[peer.account])
        self._peer(conference, peer)

    def _peer(self, conference: Conference, peer: Peer) -> None:
        name = self._desk.names.name(peer.account)
        if peer.words is None or peer.why in TROUBLE:
            words = TROUBLE.get(peer.why or CallEnd.FAILED, TROUBLE[CallEnd.FAILED])
            self._tell(conference, f"{words.format(name=name)}.", "error")
            return
        self._tell(conference, f"{name} is there. {to_compare(name, peer.words, peer.bound)}")

    def _tell(self, conference: Conference, text: str, style: str = "notice") -> None:
        self._desk.tell(text, style, about=conference.chat)
