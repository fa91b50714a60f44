"""SafeNUMs: ranges of numbers, and the numbers that were given to somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "stock",
        sa.Column("stock", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "numbers",
        sa.Column("number", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("account", sa.LargeBinary(16), nullable=True, unique=True),
        sa.Column("stock", sa.BigInteger, nullable=False),
        sa.Column("free", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_numbers_stock", "numbers", ["stock"])
    op.create_index("ix_numbers_free", "numbers", ["free"])
