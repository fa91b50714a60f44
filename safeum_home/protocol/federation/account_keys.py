"""What nodes tell each other of the public keys of accounts. docs/keys.md says what follows of it."""

from msgspec import Struct

from safeum_home.protocol.key_types import KeyHash

KEY_CHANGED = "key.changed"


class KeyChanged(Struct, frozen=True, forbid_unknown_fields=True):
    """Content of `key.changed`: at the event's `at` the sender's keys became others, by their hashes."""

    before: KeyHash
    after: KeyHash
