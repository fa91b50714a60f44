"""Pictures of accounts of other nodes: fetched by one's own when somebody looks, and kept sealed."""

from sqlalchemy import Connection

from safeum_home.accounts.directory import OpenAccount
from safeum_home.accounts.foreign_profiles import ForeignProfiles
from safeum_home.accounts.records import AvatarRecord, seal, unseal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.images import clean
from safeum_home.ports import Blinder, Database, Keyring
from safeum_home.ports.federation import Peers
from safeum_home.protocol.commands import AvatarResult
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.questions import AvatarHeld, AvatarOf
from safeum_home.storage import avatars
from safeum_home.storage.keys import LASTING


class ForeignAvatars:
    """What another node answers is parsed as what an account of this node sets for itself is."""

    def __init__(
        self,
        peers: Peers,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        profiles: ForeignProfiles,
    ) -> None:
        self._peers = peers
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._profiles = profiles

    async def get(self, viewer: OpenAccount, account: AccountId, avatar: str) -> AvatarResult:
        """The picture that the profile of a contact of `viewer` names now, if `avatar` is that.

        Raises `not_found`; `node_unreachable` where it is not kept yet, and cannot be had or is no picture.
        """
        blind = self._blinder.account(account)

        def read(c: Connection) -> AvatarRecord | None:
            if self._profiles.record(c, viewer, account).avatar != avatar:
                raise Problem(Code.NOT_FOUND)
            row, wrapped = avatars.avatar(c, blind), LASTING.key(c, blind)
            if row is None or wrapped is None:
                return None
            key = self._keyring.unwrap(blind, wrapped)
            try:
                held = undamaged([row], lambda row: unseal(key, AvatarRecord, row, blind), "avatars")
            finally:
                key.wipe()
            return held[0] if held and held[0].avatar == avatar else None

        held = await self._database.read(read)
        if held is None:
            held = await self._fetch(viewer, account, avatar)
            await self._keep(viewer, account, blind, held)
        return AvatarResult(account, avatar, held.type, held.data)

    async def _fetch(self, viewer: OpenAccount, account: AccountId, avatar: str) -> AvatarRecord:
        question = AvatarOf(account, viewer.account, avatar)
        try:
            told = await self._peers.ask(node_of(account), question, AvatarHeld)
        except Problem as problem:
            kept = problem.code in (Code.NOT_FOUND, Code.FEDERATION_REFUSED)
            raise problem if kept else Problem(Code.NODE_UNREACHABLE) from None
        try:
            picture = clean(told.data, told.type)
        except Problem:
            raise Problem(Code.NODE_UNREACHABLE) from None
        return AvatarRecord(avatar, picture.type, picture.data)

    async def _keep(self, viewer: OpenAccount, account: AccountId, blind: bytes, held: AvatarRecord) -> None:
        def store(c: Connection) -> None:
            wrapped = LASTING.key(c, blind)
            if wrapped is None or self._profiles.record(c, viewer, account).avatar != held.avatar:
                return
            key = self._keyring.unwrap(blind, wrapped)
            try:
                avatars.put_avatar(c, blind, seal(key, held, blind))
            finally:
                key.wipe()

        try:
            await self._database.transact(store)
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:  # else it is no contact any more: nothing is kept
                raise
