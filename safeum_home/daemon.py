"""Programs of others that run beside a node: as whom, with what they may, and told by memory alone."""

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from safeum_home.errors import Code, Problem

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Owner(NamedTuple):
    """Whom a program runs as."""

    uid: int
    gid: int


def program(name: str, packages: str) -> str:
    """The path of a program; raises `wrong_state` where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/bin")
    if found is None:
        raise Problem(Code.WRONG_STATE, f"{name} is not installed: apt-get install {packages}")
    return found


def owner_of(user: str, setting: str) -> Owner:
    """Whom a program is to run as: somebody who is nobody else, where root can choose.

    Raises `wrong_state`, which names the `setting`.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise Problem(Code.WRONG_STATE, f"{setting}: there is no user {user}") from None
    return Owner(found.pw_uid, found.pw_gid)


@contextmanager
def being(owner: Owner) -> Iterator[None]:
    """Do something with the rights of `owner` alone, where this is root."""
    if os.geteuid() != 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    try:
        os.setgroups([])
        os.setegid(owner.gid)
        os.seteuid(owner.uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def becoming(owner: Owner, low_ports: bool = False) -> Sequence[str]:
    """What is run in front of a program: it leaves no core, ends with whoever runs it, and gains nothing.

    `low_ports`: but that it may listen below 1024.
    """
    command = ["/usr/bin/prlimit", "--core=0", "--", "/usr/bin/setpriv", "--pdeathsig=TERM", "--no-new-privs"]
    if os.geteuid() == 0:
        command += [f"--reuid={owner.uid}", f"--regid={owner.gid}", "--clear-groups"]
        if low_ports:
            command += ["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
    return [*command, "--"]


def sealed(name: str, text: str, owner: Owner) -> int:
    """A descriptor of a file in memory that `owner` can read, and nobody can change any more."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "w", closefd=False) as file:
        file.write(text)
    os.fchmod(descriptor, 0o400)
    os.fchown(descriptor, *owner)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    return descriptor
