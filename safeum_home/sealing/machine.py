"""Unsealing: sealed -> unsealing -> open, and back.

sealed --began--> unsealing --opened--> open
   ^                  |                   |
   +----forgotten-----+                   |
   +------------------closed--------------+
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.errors import Code, Problem
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.root import HeldShare, combine, parse
from safeum_home.sealing.vault import Vault

FORGET_AFTER = 600.0
"""Seconds after the last share at which an incomplete set is forgotten."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`state` is `sealed`, `unsealing` or `open`; `needed` is 0 while unknown."""

    state: str
    have: int
    needed: int


class SealMachine(Protocol):
    """What can happen to a seal."""

    def began(self) -> None:
        """The first share, or the root secret itself, is there."""

    def opened(self, vault: Vault) -> None:
        """The root secret opened the vault."""

    def forgotten(self) -> None:
        """The root secret was wrong, or the rest of the shares did not come in time."""

    def closed(self) -> None:
        """The node stops, or is to be sealed again."""


@dataclass(slots=True)
class _Core:
    state: str = "sealed"
    shares: list[HeldShare] = field(default_factory=list)
    vault: Vault | None = None

    def forget(self) -> None:
        for share in self.shares:
            share.value.wipe()
        self.shares.clear()


_builder = TypeMachineBuilder(SealMachine, _Core)
_sealed = _builder.state("sealed")
_unsealing = _builder.state("unsealing")
_open = _builder.state("open")


@_sealed.upon(SealMachine.began).to(_unsealing)
def _began(machine: SealMachine, core: _Core) -> None:
    core.state = "unsealing"


_unsealing.upon(SealMachine.began).loop().returns(None)


@_unsealing.upon(SealMachine.opened).to(_open)
def _opened(machine: SealMachine, core: _Core, vault: Vault) -> None:
    core.state = "open"
    core.vault = vault
    core.forget()


@_unsealing.upon(SealMachine.forgotten).to(_sealed)
@_unsealing.upon(SealMachine.closed).to(_sealed)
def _forgotten(machine: SealMachine, core: _Core) -> None:
    core.state = "sealed"
    core.forget()


@_open.upon(SealMachine.closed).to(_sealed)
def _closed(machine: SealMachine, core: _Core) -> None:
    core.state = "sealed"
    vault, core.vault = core.vault, None
    if vault is not None:
        vault.wipe()


_sealed.upon(SealMachine.closed).loop().returns(None)
_new_machine = _builder.build()


class Seal:
    """Collects shares, opens the vault with them, and closes it again.

    `open_vault` is given the root secret, which is wiped right after; what it raises refuses the root.
    `opened` is called with the vault, once for each opening. Everything runs in the reactor's thread:
    combining shares and opening the vault take some 10 ms, at a time when the node serves nobody.
    """

    def __init__(
        self,
        clock: IReactorTime,
        arena: Arena,
        open_vault: Callable[[Slot], Vault],
        opened: Callable[[Vault], None],
        forget_after: float = FORGET_AFTER,
    ) -> None:
        self._clock = clock
        self._arena = arena
        self._open_vault = open_vault
        self._opened = opened
        self._forget_after = forget_after
        self._forgetting: IDelayedCall | None = None
        self._core = _Core()
        self._machine = _new_machine(self._core)

    @property
    def progress(self) -> Progress:
        shares = self._core.shares
        return Progress(self._core.state, len(shares), shares[0].threshold if shares else 0)

    @property
    def vault(self) -> Vault:
        """The open vault; raises `sealed`."""
        if self._core.vault is None:
            raise Problem(Code.SEALED)
        return self._core.vault

    def offer(self, text: str) -> Progress:
        """Take a share, or a whole root secret as words: how far that leads.

        Raises `invalid_words`, `foreign_share`, `repeated_share`, and `wrong_state` when open: shares
        collected so far are kept. Raises `wrong_root_secret`, and what else `open_vault` raises; a
        complete set of shares which leads there is forgotten.
        """
        self._check_closed()
        found = parse(self._arena, text)
        if isinstance(found, Slot):
            return self.offer_root(found)
        return self._collect(found)

    def offer_root(self, root: Slot) -> Progress:
        """Take the root secret itself, and wipe its slot. Raises as `open_vault` does, and `wrong_state`."""
        try:
            self._check_closed()
            self._machine.began()
            try:
                vault = self._open_vault(root)
            except BaseException:
                if not self._core.shares:
                    self._machine.forgotten()
                raise
        finally:
            root.wipe()
        self._stop_timer()
        self._machine.opened(vault)
        self._opened(vault)
        return self.progress

    def forget(self) -> Progress:
        """Forget the shares collected so far."""
        self._stop_timer()
        if self._core.state == "unsealing":
            self._machine.forgotten()
        return self.progress

    def close(self) -> None:
        """Wipe the vault and all shares. Harmless when sealed."""
        self._stop_timer()
        self._machine.closed()

    def _collect(self, share: HeldShare) -> Progress:
        held = self._core.shares
        if held and not share.fits(held[0]):
            raise Problem(Code.FOREIGN_SHARE)
        if any(share.index == other.index for other in held):
            raise Problem(Code.REPEATED_SHARE)
        if len(held) + 1 == share.threshold:
            root = combine(self._arena, [*held, share])
            try:
                return self.offer_root(root)
            except BaseException:
                self.forget()  # the set as a whole is of no use
                raise
        self._machine.began()
        held.append(share)
        self._stop_timer()
        self._forgetting = self._clock.callLater(self._forget_after, self._timed_out)
        return self.progress

    def _timed_out(self) -> None:
        self._forgetting = None
        self.forget()

    def _stop_timer(self) -> None:
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None

    def _check_closed(self) -> None:
        if self._core.state == "open":
            raise Problem(Code.WRONG_STATE, "the node is open")
