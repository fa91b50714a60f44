"""The vault: all that is derived from a root secret once it is there."""

from dataclasses import dataclass
from pathlib import Path

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.sealing.blind import BlindIndex
from safeum_home.sealing.cursors import CURSOR_KEY_SIZE, SealedCursors
from safeum_home.sealing.elements import PeriodKeys
from safeum_home.sealing.federation import FederationKeys
from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.sealing.keys import SealedKey, derive
from safeum_home.sealing.memory import Slot
from safeum_home.sealing.relay import DerivedRelaySecrets
from safeum_home.sealing.secrets import SecretStore
from safeum_home.sealing.signing import Ed25519Signer
from safeum_home.sealing.vouchers import VoucherKeys

KEYRING = "keyring"
FLEETING = "keyring.fleeting"
SECRETS = "secrets"


@dataclass(frozen=True, slots=True)
class Vault:
    """What a node needs to work. `signing_seed` is the Ed25519 seed (32 octets) behind `signer`.

    `keyring` has the keys of accounts and chats, `fleeting` those of messages and files that go when they
    were delivered.
    """

    keyring: EpochKeyring
    fleeting: EpochKeyring
    blinder: BlindIndex
    cursors: SealedCursors
    secrets: SecretStore
    signing_seed: Slot
    signer: Ed25519Signer
    elements: PeriodKeys
    federation: FederationKeys
    farewells: SealedKey
    """Seals which accounts were closed, while other nodes are to be told."""
    peers: SealedKey
    """Of what is kept of other nodes."""
    push: Slot
    """What push providers have of their own descends from it."""
    relay: DerivedRelaySecrets
    money: SealedKey
    """Of the ledger and the rates."""
    vouchers: VoucherKeys
    numbers: SealedKey
    """Of SafeNUMs."""
    carrier: Slot
    """What the processes between a node and its carriers have in common descends from it."""

    def push_key(self, provider: str) -> bytes:
        """32 octets that are those of a push provider alone, the same at each start."""
        return _word(self.push, b"provider", provider)

    def carrier_key(self, word: str) -> bytes:
        """`ports.carrier.CarrierContext.derived`."""
        return _word(self.carrier, b"carrier", word)

    def wipe(self) -> None:
        """Zero everything; nothing of the vault works afterwards. Twice is harmless."""
        self.keyring.wipe()
        self.fleeting.wipe()
        self.blinder.wipe()
        self.cursors.wipe()
        self.secrets.wipe()
        self.signing_seed.wipe()
        self.signer.wipe()
        self.elements.wipe()
        self.federation.wipe()
        self.farewells.wipe()
        self.peers.wipe()
        self.push.wipe()
        self.relay.wipe()
        self.money.wipe()
        self.vouchers.wipe()
        self.numbers.wipe()
        self.carrier.wipe()


def initialise(root: Slot, state_dir: Path) -> None:
    """Make the state directory (0700) and the keyrings in it. `root` stays the caller's. Blocks.

    Raises `already_initialised`, and OSError.
    """
    state_dir.mkdir(mode=0o700, exist_ok=True)
    if not is_initialised(state_dir):
        # One that was left behind by a start of this that was cut short, or is another root's.
        (state_dir / FLEETING).unlink(missing_ok=True)
        _create(_fleeting_key(root), root, state_dir / FLEETING).wipe()
    _create(_keyring_key(root), root, state_dir / KEYRING).wipe()


def is_initialised(state_dir: Path) -> bool:
    """Whether there is a keyring in a state directory."""
    return (state_dir / KEYRING).exists()


def open_vault(root: Slot, state_dir: Path | None) -> Vault:
    """The vault of a state directory, or one in memory alone. `root` may be wiped afterwards. Blocks.

    Raises `not_initialised`, `wrong_root_secret` (also where a file is damaged), and OSError.
    """
    if state_dir is None:
        keyring = _create(_keyring_key(root), root, None)
        fleeting = _create(_fleeting_key(root), root, None)
    else:
        keyring = EpochKeyring.open(_keyring_key(root), state_dir / KEYRING)
        fleeting = _open_fleeting(root, state_dir / FLEETING, keyring)
    try:
        secrets = SecretStore(
            SealedKey(derive(root, b"safeum secrets")), None if state_dir is None else state_dir / SECRETS
        )
    except Tampered:
        keyring.wipe()
        fleeting.wipe()
        raise Problem(Code.WRONG_ROOT_SECRET, "the file of secrets is damaged") from None
    seed = derive(root, b"safeum signing")
    return Vault(
        keyring,
        fleeting,
        BlindIndex(derive(root, b"safeum index")),
        SealedCursors(derive(root, b"safeum cursors", CURSOR_KEY_SIZE)),
        secrets,
        seed,
        Ed25519Signer(seed),
        PeriodKeys(derive(root, b"safeum elements")),
        FederationKeys(derive(root, b"safeum fed keys")),
        SealedKey(derive(root, b"safeum closed")),
        SealedKey(derive(root, b"safeum peers")),
        derive(root, b"safeum push"),
        DerivedRelaySecrets(derive(root, b"safeum turn")),
        SealedKey(derive(root, b"safeum money")),
        VoucherKeys(derive(root, b"safeum vouchers")),
        SealedKey(derive(root, b"safeum numbers")),
        derive(root, b"safeum carrier"),
    )


def _word(slot: Slot, purpose: bytes, word: str) -> bytes:
    """32 octets that are those of a word."""
    derived = derive(slot, purpose, data=word.encode())
    try:
        return bytes(derived.view())
    finally:
        derived.wipe()


def _create(key: SealedKey, root: Slot, path: Path | None) -> EpochKeyring:
    return EpochKeyring.create(key, path, root.arena.slot().fill_random())


def _open_fleeting(root: Slot, path: Path, keyring: EpochKeyring) -> EpochKeyring:
    """A new one, not stored yet, where there is none: it is not for backups, and what it had is given up."""
    try:
        return EpochKeyring.open(_fleeting_key(root), path)
    except Problem as problem:
        if problem.code is Code.NOT_INITIALISED:
            return EpochKeyring(_fleeting_key(root), path, {1: root.arena.slot().fill_random()})
        keyring.wipe()
        raise Problem(Code.WRONG_ROOT_SECRET, f"the file {FLEETING} is damaged") from None


def _keyring_key(root: Slot) -> SealedKey:
    return SealedKey(derive(root, b"safeum keyring"))


def _fleeting_key(root: Slot) -> SealedKey:
    return SealedKey(derive(root, b"safeum fleeting"))
