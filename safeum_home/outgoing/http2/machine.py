"""What becomes of a connection, and how many streams it may have open.

greeting --greeted--> proving --proved--> open
    |                    |                 |
    +------------------ leave -------------+--> leaving
any --close--> closed
"""

from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder


@dataclass(slots=True)
class Core:
    most: int
    """Streams at once that this side wants, whatever the peer allows."""
    state: str = "greeting"
    streams: int = 0
    """Streams that may be open now."""


class Connection(Protocol):
    """What can happen to it."""

    def greeted(self) -> None:
        """The peer has told its settings: it speaks HTTP/2."""

    def proved(self) -> None:
        """The peer has answered as one that may be asked more at once."""

    def leave(self) -> None:
        """No further stream is opened; those that are open go on to their end."""

    def close(self) -> None:
        """It ends, or has ended."""


_builder = TypeMachineBuilder(Connection, Core)
_greeting = _builder.state("greeting")
_proving = _builder.state("proving")
_open = _builder.state("open")
_leaving = _builder.state("leaving")
_closed = _builder.state("closed")


@_greeting.upon(Connection.greeted).to(_proving)
def _greeted(machine: Connection, core: Core) -> None:
    core.state, core.streams = "proving", 1


@_proving.upon(Connection.proved).to(_open)
def _proved(machine: Connection, core: Core) -> None:
    core.state, core.streams = "open", core.most


@_greeting.upon(Connection.leave).to(_leaving)
@_proving.upon(Connection.leave).to(_leaving)
@_open.upon(Connection.leave).to(_leaving)
def _leave(machine: Connection, core: Core) -> None:
    core.state, core.streams = "leaving", 0


@_greeting.upon(Connection.close).to(_closed)
@_proving.upon(Connection.close).to(_closed)
@_open.upon(Connection.close).to(_closed)
@_leaving.upon(Connection.close).to(_closed)
def _close(machine: Connection, core: Core) -> None:
    core.state, core.streams = "closed", 0


for _state in (_proving, _open, _leaving, _closed):
    _state.upon(Connection.greeted).loop().returns(None)
for _state in (_greeting, _open, _leaving, _closed):
    _state.upon(Connection.proved).loop().returns(None)
for _state in (_leaving, _closed):
    _state.upon(Connection.leave).loop().returns(None)
_closed.upon(Connection.close).loop().returns(None)

new_connection = _builder.build()
