"""A conference as the node of some of its devices has it."""

from collections.abc import Collection

from safeum_home.calls.conferences.line import Line
from safeum_home.calls.conferences.roster import by_account, in_order
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Hold
from safeum_home.protocol.call_types import MOST_TOGETHER, Media
from safeum_home.protocol.commands.conferences import Participant
from safeum_home.protocol.federation.conferences import Roster
from safeum_home.protocol.federation.events import node_of


class Mine:
    """A device of this node in a conference."""

    __slots__ = ("alive_at", "asked", "hold", "participant")

    def __init__(self, participant: Participant, asked: int, alive_at: int, hold: Hold) -> None:
        self.participant = participant
        self.asked = asked
        """When the hub was asked for its seat. Times are in milliseconds."""
        self.alive_at = alive_at
        self.hold = hold

    @property
    def device(self) -> DeviceId:
        return DeviceId(self.participant.device)


class Table:
    """One that devices of this node are in, or are about to be. `hub` is the node that orders it."""

    def __init__(self, node: str, chat: ChatId, line: Line, hub: str) -> None:
        self._node = node
        self.chat = chat
        self.line = line
        self.hub = hub
        self.call = ""
        self.media = Media.AUDIO
        self.version = 0
        """Of the roster that it has; 0: the hub is to tell it again."""
        self.mine: dict[AccountId, Mine] = {}
        self.others: dict[AccountId, Participant] = {}
        """Of other nodes."""
        self.joining = 0
        """How many have asked the hub for a seat, and were not answered yet."""
        self.unsaid = False
        """The hub was to be told something meanwhile."""
        self.ahead: Roster | None = None
        """What it has told before it has answered the first one."""

    def people(self) -> dict[AccountId, Participant]:
        return {**self.others, **{account: mine.participant for account, mine in self.mine.items()}}

    def begin(self, roster: Roster) -> None:
        """It is this conference."""
        self.call, self.media, self.version, self.others = roster.call, roster.media, 0, {}

    def follow(self, members: Collection[AccountId], roster: Roster) -> None:
        """Who is in it elsewhere is what the hub has said, as far as they are members."""
        if roster.call != self.call or roster.version < self.version or roster.over is not None:
            return
        said = by_account(each for each in roster.participants if node_of(each.account) != self._node)
        others = {account: each for account, each in said.items() if account in members}
        # Who is no member yet, as far as this node knows, is asked for again.
        self.version = roster.version if len(others) == len(said) else 0
        if not roster.whole:
            others = {**self.others, **others}
        room = max(0, MOST_TOGETHER - len(self.mine))
        self.others = by_account(in_order(others.values())[:room])
