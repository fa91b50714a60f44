"""Of each process of the node until when its calls are known to have gone on."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import beats

_BEAT = select(beats.c.sealed).where(beats.c.run == bindparam("run"))
_PUT = Many(
    "INSERT INTO beats (run, sealed) {rows} ON CONFLICT (run) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea"),
)


def beat(c: Connection, run: bytes) -> bytes | None:
    """`run` is the blind index of a process."""
    sealed: bytes | None = c.execute(_BEAT, {"run": run}).scalar_one_or_none()
    return sealed


def put_beat(c: Connection, run: bytes, sealed: bytes) -> None:
    _PUT.change(c, [(run, sealed)])


def drop_beats(c: Connection, but: bytes) -> None:
    """Forget those of all processes but one."""
    c.execute(delete(beats).where(beats.c.run != but))
