"""Two devices that are connected to each other by the parts of a call alone: no node, no client."""

from collections.abc import Callable, Iterable

from nacl.signing import SigningKey
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from safeum_home.client.calling.channel import Means
from safeum_home.client.calling.directory import Bound, Directory
from safeum_home.client.calling.handshake import Pair
from safeum_home.client.calling.launch import LaunchKeys
from safeum_home.client.calling.link import Link, LinkState
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.way import Way
from safeum_home.protocol.commands import KeyList
from safeum_home.protocol.key_types import AccountKeys, Identity, Launch, identity_octets, key_hash
from safeum_home.protocol.signing import encode_octets
from tests.calls_media import FakeNetwork, FakeSource
from tests.world import world_clock

CALL = "c" * 22
ANN, BEN = ("@" + letter * 26 + ":home.example" for letter in "ab")
ANNS, BENS = ("D" + letter * 16 for letter in "ab")
BOX = encode_octets(bytes([9]) + bytes(31))


class Person:
    """An account with a device; with an identity where `seed` is given."""

    def __init__(self, world: "Pairing", account: str, device: str, seed: int | None = None) -> None:
        self.account, self.device = account, device
        self.identity = None if seed is None else SigningKey(seed.to_bytes(32, "big"))
        sign = None if self.identity is None else self._sign
        self.launch = LaunchKeys(sign)
        self.source = FakeSource(world.network)
        self.world = world
        self.pins: dict[str, str] = {}
        self.sees: dict[str, Callable[[], AccountKeys]] = {}
        """What the directory says to this one alone, by account."""
        self.directory = Directory(self, self.pins.get, world.milliseconds, world.clock)
        self.means = Means.of(world.clock, self.launch, self.directory)
        self.said: list[str] = []
        self.told: list[LinkState] = []
        self.link: Link

    def _sign(self, octets: bytes) -> bytes:
        assert self.identity is not None
        return bytes(self.identity.sign(octets).signature)

    def keys(self) -> AccountKeys:
        """What the directory says of it."""
        at = int(self.world.milliseconds())
        bound = self.launch.bound(self.account, self.device, at)
        launch = Launch(self.device, self.launch.sign, self.launch.box, at, bound)
        if self.identity is None:
            return AccountKeys(self.account, launches=(launch,))
        sign = encode_octets(bytes(self.identity.verify_key))
        signature = encode_octets(self._sign(identity_octets(self.account, sign, BOX, at)))
        identity = Identity(sign, BOX, at, signature)
        return AccountKeys(self.account, key_hash(sign, BOX), at, identity, launches=(launch,))

    def keys_of(self, accounts: Iterable[str], launches: bool = False) -> "Deferred[KeyList]":
        (account,) = accounts
        answers = {**self.world.answers, **self.sees}
        return succeed(KeyList([answers[account]()]))

    def way(self, *, relay_only: bool = False) -> Way:
        return way(self.source, relay_only=relay_only)

    def changed(self, link: Link) -> None:
        self.told.append(link.state)


def way(source: FakeSource, *, relay_only: bool = False) -> Way:
    """On which there is no relay."""
    return Way(source, lambda: succeed([]), Clock(), video=False, relay_only=relay_only)


class Believing(Directory):
    """Of somebody in the middle, who knows whom it speaks to."""

    async def check(self, account: str, device: str, sign: bytes) -> Bound:
        """It is."""
        return Bound.NONE


class Pairing:
    """Ann calls, Ben answers. `answers` is what the directory says, by account; signals wait in `said`."""

    def __init__(self, kind: str = "audio", seeds: tuple[int | None, int | None] = (None, None)) -> None:
        self.clock: Clock = world_clock()
        self.network = FakeNetwork()
        self.ann = Person(self, ANN, ANNS, seeds[0])
        self.ben = Person(self, BEN, BENS, seeds[1])
        self.answers: dict[str, Callable[[], AccountKeys]] = {ANN: self.ann.keys, BEN: self.ben.keys}
        self.pair = Pair(CALL, kind, ANN, ANNS, BEN, BENS)
        self.opening = Opening(self.ann.launch.signing.public, 1)

    def milliseconds(self) -> float:
        return float(self.clock.seconds() * 1000)

    def begin(self) -> "Pairing":
        """Both have their links; the response is known to nobody yet."""
        ann, ben = self.ann, self.ben
        ann.link = Link(ann.means, self.pair, self.opening, ann.way(), ann.said.append, ann.changed)
        ben.link = Link(ben.means, self.pair, self.opening.hello, ben.way(), ben.said.append, ben.changed)
        return self

    def anew(self) -> "Pairing":
        """Both have other links, in place of those from before."""
        for person in (self.ann, self.ben):
            person.link.close()
            person.said.clear()
        self.opening = Opening(self.ann.launch.signing.public, 1)
        return self.begin()

    def run(self) -> "Pairing":
        """Deliver all that is said, and what is said to that."""
        while self.ann.said or self.ben.said:
            self.deliver(self.ann, self.ben)
            self.deliver(self.ben, self.ann)
        return self

    def deliver(self, sender: Person, receiver: Person) -> list[str]:
        """What one has said goes to the other; what that was."""
        said, sender.said[:] = list(sender.said), []
        for data in said:
            receiver.link.signal(data)
        return said

    def connect(self) -> "Pairing":
        """As far as it goes."""
        self.begin()
        self.ben.link.respond()
        return self.run()

    @property
    def states(self) -> tuple[LinkState, LinkState]:
        return self.ann.link.state, self.ben.link.state

    def close(self) -> None:
        for person in (self.ann, self.ben):
            person.link.close()
            person.launch.wipe()
