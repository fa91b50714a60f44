"""Rate tables by version, and their rates in parts."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.schema import rate_tables, rates

_VERSIONS = select(rate_tables.c.version).order_by(rate_tables.c.version)
_TABLE = select(rate_tables.c.sealed).where(rate_tables.c.version == bindparam("version"))
_PARTS = select(rates.c.sealed).where(rates.c.version == bindparam("version")).order_by(rates.c.part)


def versions(c: Connection) -> list[int]:
    """The versions that are stored, the oldest first."""
    return list(c.execute(_VERSIONS).scalars())


def table(c: Connection, version: int) -> bytes:
    return bytes(c.execute(_TABLE, {"version": version}).scalar_one())


def parts(c: Connection, version: int) -> list[bytes]:
    return [bytes(part) for part in c.execute(_PARTS, {"version": version}).scalars()]


def add_table(c: Connection, version: int, sealed: bytes) -> None:
    c.execute(rate_tables.insert().values(version=version, sealed=sealed))


def add_part(c: Connection, version: int, part: int, sealed: bytes) -> None:
    c.execute(rates.insert().values(version=version, part=part, sealed=sealed))


def drop_table(c: Connection, version: int) -> None:
    """With all of its rates."""
    c.execute(delete(rates).where(rates.c.version == version))
    c.execute(delete(rate_tables).where(rate_tables.c.version == version))
