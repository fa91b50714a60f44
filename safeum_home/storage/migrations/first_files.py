"""The first tables of files."""

import sqlalchemy as sa
from alembic import op

from safeum_home.storage.migrations.tables import blind, number, sealed, table


def files() -> None:
    """Uploads, files of messages, and the blobs behind them."""
    table("blobs", blind("blob", primary_key=True), blind("account"), number("size"))
    op.create_index("ix_blobs_account", "blobs", ["account"])
    table("dropped", blind("blob", primary_key=True))
    table("strays", blind("blob", primary_key=True), number("seen"))
    table(
        "uploads",
        blind("file", primary_key=True),
        blind("chat"),
        blind("blob"),
        number("received"),
        number("ends"),
        sealed(),
        sealed("tail"),
    )
    for column in ("chat", "blob", "ends"):
        op.create_index(f"ix_uploads_{column}", "uploads", [column])
    table(
        "files",
        blind("chat", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        blind("account"),
        blind("file"),
        blind("blob"),
        number("ends"),
        sealed(),
    )
    for column in ("account", "file", "blob", "ends"):
        op.create_index(f"ix_files_{column}", "files", [column])
    table(
        "fetched",
        blind("blob", primary_key=True),
        blind("account"),
        sa.Column("stored", sa.LargeBinary(16), nullable=False),
        number("received"),
        number("used"),
        number("ends"),
    )
    for column in ("account", "stored", "ends"):
        op.create_index(f"ix_fetched_{column}", "fetched", [column])
