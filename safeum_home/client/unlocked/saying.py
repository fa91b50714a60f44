"""What is said in a secure chat, until its node has it: it waits, is on its way, or is refused."""

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from msgspec import structs

from safeum_home.client.errors import ClientError, RemoteProblem, local
from safeum_home.client.secure import events as e
from safeum_home.client.secure import payloads
from safeum_home.client.secure.chat import Step
from safeum_home.client.secure.payloads import Compare, Deletion, Edit, File, Payload, Reaction, Text
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.events import NotChanged, SecureChanged
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Fate, Item, Trace
from safeum_home.client.unlocked.posting import Posting
from safeum_home.client.unlocked.sealed_bodies import file_of
from safeum_home.client.unlocked.vouching import Vouching
from safeum_home.errors import Code
from safeum_home.protocol.commands import Sent
from safeum_home.protocol.signing import encode_octets

MOST_WAITING = 100
"""Things said before this account may say something here."""
MOST_UNSENT = 1000
"""Things said that the node does not have yet, as while there is no connection."""
_numbers = count(1)


@dataclass(eq=False, slots=True)
class Said:
    """A message has its `item`. A change has the `traces` of what it is shown to have changed already."""

    payload: Payload
    item: Item | None = None
    traces: Sequence[Trace] = ()
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def reference(self) -> str:
        return f"said-{self.number}"


class Saying(Vouching):
    """A part of `Exchange`."""

    _early: object | None
    """None once it is loaded."""
    _closed = False

    def _begin_saying(self, home: Home) -> None:
        self._posting = Posting(home.client, home.clock, self.id, self._acknowledged, self._not_taken)
        self._unsaid: deque[Said] = deque()
        self._under_way: dict[str, Said] = {}
        """What waits for keys, or is to be posted, by its reference."""

    def _end_saying(self) -> None:
        """Nothing is said any more, and what waits is dropped."""
        self._closed = True
        self._posting.close()
        self._unsaid.clear()
        self._under_way.clear()

    @abstractmethod
    def _take(self, told: e.Told) -> None:
        """What the node has acknowledged has its place."""

    @abstractmethod
    def _deleted(self, item: Item) -> None:
        """Others are told that it is: the node is to have nothing of it, either."""

    # --- what is to be said

    def _check_open(self) -> None:
        """Raises `wrong_state` where it was locked, or left."""
        if self._closed:
            raise local(Code.WRONG_STATE, "this chat is not open here any more")

    def _check(self, payload: Payload) -> None:
        """Whether it could be said; raises `wrong_state`, and `Refused`."""
        self._check_open()
        payloads.encode(payload)
        if self.peer is None and self._was_in and self._home.own.account not in self._chat.members:
            raise Refused(Reason.NOT_A_MEMBER)
        if len(self._unsaid) >= MOST_WAITING or len(self._under_way) >= MOST_UNSENT:
            raise Refused(Reason.TOO_MANY)

    def _say_quietly(self, payload: Payload) -> None:
        """What is no message."""
        self._say(Said(payload))

    def _say(self, said: Said) -> None:
        item = said.item
        self._unsaid.append(said)
        if item is not None and (file := file_of(said.payload)) is not None:
            self._posting.attach(said.reference, file)
        self._flush()
        if item is not None and item.fate is Fate.WAITING:
            if not self._home.may_say:
                item.waits_for = (self._home.own.account,)
            self._home.tell(SecureChanged(self.id, item))

    def _flush(self) -> None:
        """Say what was to be said, as soon as that can be."""
        own = self._home.own.account
        while self._unsaid and self._home.may_say and self._early is None and own in self._chat.members:
            if self._has_newcomers or self._signing.busy:
                self._welcome()
                return
            said = self._unsaid.popleft()
            self._under_way[said.reference] = said
            try:
                self._done(self._chat.say(self._named_anew(said.payload), said.reference))
            except Refused as refused:
                self._fail(said, refused.reason.value)

    def _named_anew(self, payload: Payload) -> Payload:
        """Messages that had to be sealed anew are named by their hash of now."""
        name = self.items.name
        if isinstance(payload, Edit | Reaction):
            return structs.replace(payload, message=name(payload.message))
        if isinstance(payload, Deletion):
            return structs.replace(payload, messages=tuple(map(name, payload.messages)))
        if isinstance(payload, Text | File) and payload.reply is not None:
            return structs.replace(
                payload, reply=structs.replace(payload.reply, hash=name(payload.reply.hash))
            )
        return payload

    def _done(self, step: Step) -> None:
        sealed = list[Item]()
        for post in step.posts:
            said = self._under_way.get(post.reference or "")
            if said is not None and (item := said.item) is not None:
                self.items.sealed(item, encode_octets(post.hash))
                item.fate, item.waits_for = Fate.SENDING, ()
                sealed.append(item)
        # Whoever is told may say something at once: that stands behind these in the stream.
        self._posting.put(step.posts)
        for item in sealed:
            self._home.tell(SecureChanged(self.id, item))
        for event in step.events:
            self._heard(event)

    # --- what becomes of it

    def _acknowledged(self, post: e.Post, sent: Sent) -> None:
        said = self._under_way.pop(post.reference or "", None)
        if said is not None and (item := said.item) is not None:
            item.fate, item.id = Fate.SENT, sent.id
            self._home.tell(SecureChanged(self.id, item))
        if said is not None and isinstance(said.payload, Deletion):
            for trace in said.traces:
                self._deleted(trace.item)
        if not sent.waiting:
            self._take(e.Told(self._home.own.account, sent.id, post.data, post.quiet))
            self._flush()

    def _not_taken(self, posts: list[e.Post], error: ClientError) -> None:
        self._chat.renew(posts[0].data)
        self._signing.failed([post.data for post in posts], error)
        code = error.code if isinstance(error, RemoteProblem) else ""
        several = [said for post in posts if (said := self._under_way.pop(post.reference or "", None))]
        if posts[0].reference is None:  # an epoch, or a roster: the node takes nothing of this account
            for said in reversed(several):
                self._fail(said, code)
        elif several:
            # What stood behind it in its stream is sealed anew, and judged by itself.
            refused, *behind = several
            for said in reversed(behind):
                self._unsaid.appendleft(said)
                if said.item is not None:
                    said.item.fate = Fate.WAITING
            self._fail(refused, code)
        self._flush()

    def _fail(self, said: Said, code: str) -> None:
        """It is not said, and its owner hears of that."""
        item, payload = said.item, said.payload
        self._under_way.pop(said.reference, None)
        if item is not None:
            self._posting.detach(said.reference)
            item.fate, item.refused = Fate.REFUSED, code
            self._home.tell(SecureChanged(self.id, item))
        elif isinstance(payload, Compare):
            self.comparisons.unsaid(payload)
        elif isinstance(payload, Edit | Reaction | Deletion):
            self._take_back(said)
            self._warn(NotChanged(payload, code))

    def _take_back(self, said: Said) -> None:
        """A change is none: what was changed behind it, and waits yet, is shown upon what was before."""
        waiting = [each for each in (*self._under_way.values(), *self._unsaid) if each.number > said.number]
        changed = [trace.item for each in (said, *waiting) for trace in each.traces]
        for each in (*reversed(waiting), said):
            self.items.undo(each.payload, each.traces)
        for each in waiting:
            if isinstance(each.payload, Edit | Reaction | Deletion):
                each.traces = self.items.show(self._home.own.account, each.payload)
        for item in dict.fromkeys(changed):
            self._home.tell(SecureChanged(self.id, item))
