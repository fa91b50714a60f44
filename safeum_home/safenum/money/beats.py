"""Signs of life: until when the calls of a process of the node have gone on, should it be killed.

One row says it for all of them. Changes are stored in the order in which they were asked for; so what is not
settled when a beat is stored goes on, but for calls whose ends the storage was not there to take: these are
named in it.
"""

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key
from safeum_home.ports.money import Over
from safeum_home.safenum.money.hold_record import index_of
from safeum_home.storage import beats as rows

_PLACE = b"beat"
_encoder = msgspec.msgpack.Encoder()


class Beat(Struct, frozen=True, array_like=True):
    """All calls go on `at` (milliseconds), but for those that are `over`, by the indexes of their holds."""

    at: int
    over: dict[bytes, Over]


class Beats:
    """For the writer's thread. `key` is the node's, `run` names this process."""

    def __init__(self, key: Key, blinder: Blinder, run: str) -> None:
        self._key = key
        self._blinder = blinder
        self._run = run

    def index_of(self, account: AccountId, call: str) -> bytes:
        """What a call is named by in a beat."""
        return index_of(self._blinder, account, call)

    def put(self, c: Connection, beat: Beat) -> None:
        """This process's."""
        index = self._index(self._run)
        rows.put_beat(c, index, self._key.seal(_encoder.encode(beat), _PLACE + index))

    def of(self, c: Connection, run: str) -> Beat | None:
        """The last one of a process; None where there was none, or it is damaged."""
        index = self._index(run)
        sealed = rows.beat(c, index)

        def opened(sealed: bytes) -> Beat:
            return msgspec.msgpack.decode(self._key.open(sealed, _PLACE + index), type=Beat)

        found = undamaged([] if sealed is None else [sealed], opened, "signs of life")
        return found[0] if found else None

    def drop_others(self, c: Connection) -> None:
        """Forget those of former processes."""
        rows.drop_beats(c, self._index(self._run))

    def _index(self, run: str) -> bytes:
        return self._blinder.money("run", run)
