"""Files that another node asks for, for an account of its own: as that account would get them here."""

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.files.downloads import Found, OpenReading, Readings
from safeum_home.chats.files.means import FileMeans
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.files import FetchFile
from safeum_home.storage import chats, events, files, posts
from safeum_home.storage.rows import FileRow


class Lending:
    """`ports.federation.OpenFile`: whatever is in the way, the answer is the same `not_found`."""

    def __init__(self, node: str, means: FileMeans, readings: Readings) -> None:
        """`node` is this one."""
        self._node = node
        self._means = means
        self._readings = readings

    async def open(self, node: str, asked: FetchFile) -> OpenReading:
        """The file of a message of this node's; raises `not_found`, `rate_limited`, `busy`, `file_lost`."""
        means, reader = self._means, AccountId(asked.reader)
        if node == self._node or node_of(reader) != node or asked.offset > asked.size:
            raise Problem(Code.NOT_FOUND)
        try:
            position = means.cursors.decode(asked.message)
        except Problem:
            raise Problem(Code.NOT_FOUND) from None
        chat = await means.registry.load(ChatId(asked.chat))
        if chat is None or reader not in chat.members:
            raise Problem(Code.NOT_FOUND)
        means.rate.take(reader)
        if chat.hub is None:
            found = self._finding(chat, reader, position)
        else:
            found = self._posted(chat, reader, position, asked.message)
        try:
            reading = await self._readings.open(reader, chat, "", found, lent=True)
        except Problem as problem:
            raise Problem(Code.NOT_FOUND) if problem.code is Code.TOO_LARGE else problem from None
        if (reading.file, reading.size, reading.type) != (asked.file, asked.size, asked.type):
            reading.close()
            raise Problem(Code.NOT_FOUND)
        return reading

    def _finding(self, chat: Chat, reader: AccountId, position: int) -> Found:
        means, blind = self._means, self._means.blinder.account(reader)
        others = set[bytes]()
        if chat.kind is ChatKind.DIRECT:  # in groups the row itself says that it came from elsewhere
            members = [member for member in chat.members if node_of(member) != self._node]
            others.update(map(means.blinder.account, members))

        def found(c: Connection) -> FileRow:
            member, row = chats.member(c, chat.blind, blind), files.file(c, chat.blind, position)
            # What accounts of other nodes have sent is to be had from these.
            if member is None or row is None or position <= member.visible or row.account in others:
                raise Problem(Code.NOT_FOUND)
            return row

        return found

    def _posted(self, chat: Chat, reader: AccountId, post: int, name: str) -> Found:
        """In a copy of a group: what an account of this node has posted as `post`, or under this `name`."""
        means, blind = self._means, self._means.blinder.account(reader)
        sent = means.blinder.foreign(self._node, name)

        def found(c: Connection) -> FileRow:
            member, came = chats.member(c, chat.blind, blind), events.recognised(c, sent)
            row = files.file(c, chat.blind, post if came is None else came)
            if member is None or row is None:
                raise Problem(Code.NOT_FOUND)
            if came is not None and came <= member.visible:
                raise Problem(Code.NOT_FOUND)
            # What has not come back yet stands, in the order of the group's node, behind all that was told
            # here: so behind that the reader came to be in the group, and to see what is written.
            if came is None and posts.post(c, post) is None:
                raise Problem(Code.NOT_FOUND)
            return row

        return found
