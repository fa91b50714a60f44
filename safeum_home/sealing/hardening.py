"""What a process does for itself before it holds secrets."""

import resource
from dataclasses import dataclass

from safeum_home.sealing.libc import libc

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Hardening:
    """What was reached. `no_core_dumps` covers reading by other processes of the same user too."""

    no_core_dumps: bool
    all_locked: bool


def harden_process(lock_all: bool = True) -> Hardening:
    """Forbid core dumps, and reading of the process by others of the same user.

    With `lock_all` all of the process' memory, so also plaintext on its way, is kept out of swap. This
    is done only where RLIMIT_MEMLOCK is unlimited: otherwise each allocation past the limit would fail.
    Pages are locked when they are first touched, so that unused stacks cost nothing.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    locked = lock_all and unlimited and libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0
    return Hardening(libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, locked)
