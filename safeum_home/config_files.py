"""The section `[files]` of the configuration."""

import re
from typing import Annotated

from msgspec import Meta

from safeum_home.config_base import Positive, Seconds, Section
from safeum_home.config_secrets import ConfigError

_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9._-]{1,64})*/?\Z")


class FileSection(Section, frozen=True):
    """Files of chats (docs/files.md). Sizes in octets."""

    store: str = "folder"
    """`folder`, or `s3://BUCKET` with an optional prefix behind a slash."""
    folder: str = ""
    """Where the folder is; by default `files` in `state_dir`."""
    endpoint: str = ""
    """The URL of an S3 service, where it is not Amazon's."""
    region: str = "us-east-1"
    access_key: str = "secret:s3-access-key"
    secret_key: str = "secret:s3-secret-key"  # noqa: S105 - the name of one
    largest: Positive = 2 * 1024**3
    """Of one file."""
    quota: Positive = 10 * 1024**3
    """Of all files that an account has sent or is uploading."""
    copies: Positive = 4 * 1024**3
    """Of what is kept for an account of files that other nodes have; then what was not used longest goes."""
    waiting: Positive = 100
    """How many uploads of an account may not have been sent yet."""
    transfers: Annotated[int, Meta(ge=1, le=512)] = 16
    """How many an account may have under way at once; never more than an eighth of all."""
    unfinished_seconds: Seconds = 86400.0
    """How long an upload that is not complete is kept, from its last octets on."""
    unsent_seconds: Seconds = 86400.0
    """How long one that is complete waits for its message."""
    without_history_seconds: Seconds = 86400.0
    """How long a file of a chat that keeps no history can be fetched."""
    threads: Annotated[int, Meta(ge=1, le=64)] = 4


def check_files(section: FileSection) -> None:
    """Raises `ConfigError` for what no type says."""
    if section.store != "folder" and not _S3.match(section.store):
        raise ConfigError("files.store: `folder`, or `s3://BUCKET[/PREFIX]`")
    for name, value in (("access_key", section.access_key), ("secret_key", section.secret_key)):
        if not value.startswith("secret:"):
            raise ConfigError(f"files.{name}: `secret:NAME`")
    if section.folder and not section.folder.startswith("/"):
        raise ConfigError("files.folder: a path that begins with /")
    if section.endpoint and not section.endpoint.startswith(("https://", "http://127.0.0.1:")):
        raise ConfigError(
            "files.endpoint: https://HOST, or a service of this machine at http://127.0.0.1:PORT"
        )
