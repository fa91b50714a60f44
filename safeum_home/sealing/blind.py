"""Blind indexes: rows are found by keyed hashes (BLAKE2b, 16 octets), so that a stolen disk names nobody."""

from functools import lru_cache

from safeum_home.ids import AccountId, ChatId, DeviceId, FileId
from safeum_home.sealing.keys import personal
from safeum_home.sealing.libc import ffi, sodium
from safeum_home.sealing.memory import Slot

# The kinds are kept apart, so that an account's index never equals that of a device.
_ACCOUNT = personal(b"blind account")
_ALIAS = personal(b"blind alias")
_CHAT = personal(b"blind chat")
_DEVICE = personal(b"blind device")
_CLIENT_ID = personal(b"blind client id")
_PLACE = personal(b"blind place")
_TOKEN = personal(b"blind token")
_AVATAR = personal(b"blind avatar")
_NODE = personal(b"blind node")
_INVITE = personal(b"blind invite")
_FILE = personal(b"blind file")
_GROUP = personal(b"blind group")
_LINK = personal(b"blind link")
_GONE = personal(b"blind gone")
_ENDING = personal(b"blind ending")
_PEER = personal(b"blind peer")
_FOREIGN = personal(b"blind foreign")
_PUSH = personal(b"blind push")
_CALL = personal(b"blind call")
_MONEY = personal(b"blind money")
_CDR = personal(b"blind cdr")
_SAFENUM = personal(b"blind safenum")

SIDE_BY_SIDE = 12
"""Client ids that agree in so many characters are indexed side by side, as rows of one page: UUIDs of version
7 (RFC 9562) of 16 milliseconds. So a busy node changes few pages for many messages, and no time is told."""
_WITHIN = 10
"""Octets of an index that tell such client ids apart."""

_hash = sodium.crypto_generichash_blake2b_salt_personal
_new = ffi.new
_buffer = ffi.buffer
_INDEX = ffi.typeof("unsigned char[16]")
_NULL = ffi.NULL


class BlindIndex:
    """`ports.Blinder` under a key in a slot, which it owns."""

    __slots__ = ("_place", "_slot")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._place = lru_cache(256)(self._new_place)

    def account(self, account: AccountId) -> bytes:
        return self._index(account.encode(), _ACCOUNT)

    def alias(self, username: str) -> bytes:
        return self._index(username.encode(), _ALIAS)

    def chat(self, chat: ChatId) -> bytes:
        return self._index(chat.encode(), _CHAT)

    def device(self, device: DeviceId) -> bytes:
        return self._index(device.encode(), _DEVICE)

    def file(self, file: FileId) -> bytes:
        return self._index(file.encode(), _FILE)

    def client_id(self, device: DeviceId, client_id: str) -> bytes:
        place = self._place(client_id[:SIDE_BY_SIDE])
        return place + self._index(f"{device}\0{client_id}".encode(), _CLIENT_ID)[:_WITHIN]

    def avatar(self, owner: AccountId | ChatId, data: bytes) -> bytes:
        return self._index(b"%b\0%b" % (owner.encode(), data), _AVATAR)

    def group(self, device: DeviceId, client_id: str) -> bytes:
        return self._index(f"{device}\0{client_id}".encode(), _GROUP)

    def link(self, code: str) -> bytes:
        return self._index(code.encode(), _LINK)

    def gone(self, chat: bytes, position: int) -> bytes:
        return self._index(chat + position.to_bytes(8, "big"), _GONE)

    def ending(self, account: AccountId, chat: ChatId) -> bytes:
        return self._index(f"{account}\0{chat}".encode(), _ENDING)

    def foreign(self, node: str, message: str) -> bytes:
        return self._index(f"{node}\0{message}".encode(), _FOREIGN)

    def push(self, provider: str, token: str) -> bytes:
        return self._index(f"{provider}\0{token}".encode(), _PUSH)

    def call(self, account: AccountId, call: str) -> bytes:
        return self._index(f"{account}\0{call}".encode(), _CALL)

    def money(self, kind: str, text: str) -> bytes:
        return self._index(f"{kind}\0{text}".encode(), _MONEY)

    def cdr(self, number: str) -> bytes:
        return self._index(number.encode(), _CDR)

    def safenum(self, number: str) -> bytes:
        return self._index(number.encode(), _SAFENUM)

    def token(self, device: DeviceId, secret: bytes) -> bytes:
        """The verifier of a device token (32 octets)."""
        data = b"%b\0%b" % (device.encode(), secret)
        out = _new("unsigned char[32]")
        _hash(out, 32, data, len(data), self._slot.pointer, 32, _NULL, _TOKEN)
        return bytes(_buffer(out))

    def node(self, name: str) -> bytes:
        """What tells a node's database from those of others."""
        return self._index(name.encode(), _NODE)

    def peer(self, name: str) -> bytes:
        """What finds another node's row."""
        return self._index(name.encode(), _PEER)

    def invite(self, code: str) -> bytes:
        return self._index(code.encode(), _INVITE)

    def wipe(self) -> None:
        self._slot.wipe()
        self._place.cache_clear()

    def _new_place(self, beginning: str) -> bytes:
        return self._index(beginning.encode(), _PLACE)[:-_WITHIN]

    def _index(self, data: bytes, kind: bytes) -> bytes:
        out = _new(_INDEX)
        # A wiped key is None, which libsodium's wrapper refuses: no index is ever made without a key.
        _hash(out, 16, data, len(data), self._slot.pointer, 32, _NULL, kind)
        return bytes(_buffer(out))
