"""A desk of the terminal client at a node in memory: the client's own code against the node's own."""

from datetime import UTC

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.connection.connection import Listener
from safeum_home.client.connection.requests import Wire
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import Listening
from safeum_home.client.errors import Closing
from safeum_home.client.screen import page, render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.session import Client
from safeum_home.client.slash.commands import submit
from safeum_home.gateway.session import Session
from tests.world import CONSENT, HOST, PASSWORD, World


class _Line:
    """`ports.ClientConnection` on the node's side, `Wire` on the client's."""

    def __init__(self, world: World, listener: Listener) -> None:
        self._listener = listener
        self.given: list[bytes] = []
        """What the client has sent."""
        self.session = Session(self, world.services)
        self._over = False

    host = HOST

    def write(self, frame: bytes) -> None:
        if not self._over:
            start = {126: 4, 127: 10}.get(frame[1], 2)
            self._listener.received(frame[start:])

    def close(self, code: int = 1000, reason: str = "") -> None:
        if not self._over:
            self._over = True
            self.session.closed()
            self._listener.closed(Closing(code, reason))

    def pause_reading(self) -> None:
        """Nothing here is more than a session takes."""

    def resume_reading(self) -> None:
        """It always reads."""

    def send(self, payload: bytes) -> None:
        self.given.append(payload)
        self.session.received(payload)


class WorldDesk:
    """Somebody at a desk, signed up and with everything loaded."""

    def __init__(self, world: World, username: str, display_name: str = "", known: bool = False) -> None:
        """`known`: there is such an account, and this is another device of it."""
        self._world = world
        self.client = Client(self._dial, world.clock, lambda: 0.5)
        if known:
            _done(self.client.login(username, PASSWORD))
        else:
            _done(self.client.register(username, PASSWORD, consent=CONSENT))
        if display_name:
            _done(self.client.set_profile(display_name))
        _done(self.client.load())
        self.desk = Desk(self.client, world.clock, lambda: int(world.clock.seconds() * 1000))
        self.client.listen(Listening(self.desk).heard)

    def _dial(self, listener: Listener) -> "Deferred[Wire]":
        self.line = _Line(self._world, listener)
        return succeed(self.line)

    @property
    def account(self) -> str:
        return self.desk.state.account

    def enter(self, line: str) -> str:
        """Enter a line; what is on the screen then."""
        submit(self.desk, line)
        self._world.settle()
        return self.screen()

    def screen(self, columns: int = 100, rows: int = 40) -> str:
        """The open chat, without blank lines."""
        lines = text_of(page.body(self.desk, columns, rows, UTC)).split("\n")
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def header(self) -> str:
        return text_of([render.header(self.desk, 100)]).strip()

    def sidebar(self) -> str:
        return text_of(render.sidebar(self.desk, 40, 20, UTC))

    def info(self) -> str:
        return text_of([render.info(self.desk, 100, 40)]).strip()


def _done(waiting: object) -> None:
    """It has been answered, and well."""
    outcome: list[object] = []
    assert isinstance(waiting, Deferred)
    waiting.addBoth(outcome.append)
    assert outcome, "not answered"
    assert not isinstance(outcome[0], Exception) and not hasattr(outcome[0], "value"), outcome


def befriend(first: WorldDesk, second: WorldDesk) -> None:
    """Both are in each other's contacts."""
    first.enter(f"/add {second.desk.state.address}")
    second.enter(f"/accept {first.desk.state.address}")
