"""What tables are made of."""

from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, SmallInteger, Table

metadata = MetaData()


def table(name: str, *items: Any) -> Table:
    """On SQLite clustered on its primary key (WITHOUT ROWID)."""
    return Table(name, metadata, *items, sqlite_with_rowid=False)


def blind(name: str, **options: Any) -> Column[bytes]:
    """A blind index: 16 octets."""
    return Column(name, LargeBinary(16), nullable=False, **options)


def number(name: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=False, **options)


def small(name: str) -> Column[int]:
    return Column(name, SmallInteger, nullable=False)


def sealed(name: str = "sealed") -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)
