"""Files between nodes: `POST /_safeum/federation/v1/files`, with which one node fetches what another one has.

The answer is the file's octets from `offset` on: `application/octet-stream`, with their number in
`Content-Length`. What is wrong is a problem document.
"""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.files import FileIdText, FileSize, MediaType
from safeum_home.protocol.message_types import Origin
from safeum_home.protocol.scalars import Account, Chat

FILES_PATH = "/_safeum/federation/v1/files"


class FetchFile(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The file of a message, for `reader`, an account of the node that asks, from an octet on.

    `message` is the id by which the node that is asked has told of the message; `file`, `size` and `type`
    are what that says of its file. Where all that is not so, or not for that account, the answer is
    `not_found`.
    """

    chat: Chat
    message: Origin
    reader: Account
    file: FileIdText
    size: FileSize
    type: MediaType
    offset: Annotated[int, Meta(ge=0, le=2**53 - 1, description="The first octet that is wanted.")] = 0
