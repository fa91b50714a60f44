"""Posts of groups without history wait for a group's node for as long as messages do, not as other posts."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.records import Settled
from safeum_home.ports import Database
from safeum_home.storage import posts
from safeum_home.storage.keys import FLEETING, message_owner
from safeum_home.storage.rows import PostRow

PAGE = 200


class PostExpiry:
    """Ends them: as if the group's node would never hear of them."""

    def __init__(self, database: Database, box: PostBox) -> None:
        self._database = database
        self._box = box

    async def end(self, hour: int) -> None:
        """Those from before `hour` (since 1970); raises `storage_unavailable`."""
        after = 0
        while page := await self._database.read(partial(_behind, after, hour)):
            after = page[-1].position
            for row in await self._database.read(partial(_with_keys, page)):
                place = self._database.next_position()
                ended = await self._database.transact(partial(self._end, row.position, place))
                if ended is not None:
                    self._box.settle(ended)

    def _end(self, position: int, place: int, c: Connection) -> Settled | None:
        return self._box.untold(c, position.to_bytes(8, "big"), place)


def _behind(after: int, hour: int, c: Connection) -> list[PostRow]:
    """Posts have their places in the order of their hours."""
    return [row for row in posts.open_posts(c, after, PAGE) if row.hour < hour]


def _with_keys(page: Sequence[PostRow], c: Connection) -> list[PostRow]:
    """Those with keys of their own: which are not kept."""
    owners = {message_owner(row.chat, row.position): row for row in page}
    return [row for owner, row in owners.items() if FLEETING.key(c, owner) is not None]
