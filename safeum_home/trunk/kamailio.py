"""What Kamailio is told: `kamailio.cfg`, with the settings put into it."""

import re
from collections.abc import Iterator
from importlib.resources import files
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

from safeum_home.config_trunk import TrunkSection, carrier_hosts, split
from safeum_home.grants.trunk import EDGE_DOMAIN, EDGE_USER, TrunkGrant

PROGRAM = "kamailio"
PACKAGES = "kamailio kamailio-sqlite-modules"
MOST_OCTETS = 8192
"""Of a message: in JSON an octet takes up to six."""
NO_SESSION = "00"
_WORD = re.compile(r"%([A-Z_0-9]+)%")


class Paths(NamedTuple):
    """Where things are that Kamailio opens by their names, all in memory."""

    database: Path
    rpc: Path


def configuration(
    section: TrunkSection, grant: TrunkGrant, paths: Paths, mark: str, session: str = ""
) -> str:
    """kamailio.cfg. Lines of its log that are of importance begin with `mark`, which nobody outside knows.

    `session` is that of the Janus which has registered last: calls are its own before it does so once more.
    """
    words = _words(section, grant, paths, mark) | {"SESSION": session.encode().hex() or NO_SESSION}
    fixed = files(__package__).joinpath("kamailio.cfg").read_text(encoding="utf-8")
    text = _WORD.sub(lambda match: words[match[1]], fixed)
    return "".join(f"{line}\n" for line in ["#!KAMAILIO", *_defined(section), *_sockets(section)]) + text


def _defined(section: TrunkSection) -> Iterator[str]:
    if section.login:
        yield "#!define WITH_LOGIN"


def _sockets(section: TrunkSection) -> Iterator[str]:
    port = split(section.listen)[1]
    seen = f" advertise {_uri_host(section.public)}:{port}" if section.public else ""
    yield f"listen={_socket(section.transport, section.listen)}{seen}"
    yield f"listen={_socket('udp', section.inside)}"
    if section.transport == "udp":
        yield "disable_tcp=yes"


def _words(section: TrunkSection, grant: TrunkGrant, paths: Paths, mark: str) -> dict[str, str]:
    """What stands for the words in capitals."""
    host, _ = split(section.listen)
    inside, inside_port = split(section.inside)
    shown = _uri_host(section.public or host)
    plus = "" if section.plus else "+"
    sign = r"\+" if section.plus else ""
    return {
        "EDGE_DOMAIN": EDGE_DOMAIN,
        "EDGE_USER": EDGE_USER,
        "EDGE_PASSWORD": grant.shared,
        "MASK_KEY": _mask_key(grant.shared),
        "MARK": mark,
        "MOST_OCTETS": str(MOST_OCTETS),
        "DATABASE": f"sqlite://{paths.database}",
        "RPC_SOCKET": str(paths.rpc),
        "CALL_SECONDS": str(section.call_seconds),
        "CALLS": str(section.calls),
        "INSIDE": _socket("udp", section.inside),
        "INSIDE_IP": inside,
        "INSIDE_PORT": str(inside_port),
        "JANUS_IP": str(ip_address(section.janus)),
        "OUTSIDE_SOCKET": _socket(section.transport, section.listen),
        "OUTSIDE_IP": shown,
        "OUR_DOMAIN": section.domain or shown,
        "CARRIER_SOURCES": _sources(section),
        "CARRIER_1": _uri_host(split(section.carriers[0])[0]),
        "CARRIERS": str(len(section.carriers)),
        "CARRIER_TURNS": "\n".join(_turns(section)),
        "CALLED": f"^{sign}[1-9][0-9]{{6,14}}$",
        "NUMBER": f"^{sign}[1-9][0-9]{{2,14}}$",
        "NUMBERS": _numbers(section),
        "PLUS": f'"{plus}"',
        "BARE_FROM": "0" if section.plus else "1",
        "CODECS": section.codec_names,
        "LOGIN": section.login,
        "SHARED_HEX": grant.password.encode().hex(),
    }


def _mask_key(shared: str) -> str:
    return f"topology {shared}"


def _turns(section: TrunkSection) -> Iterator[str]:
    for number, each in enumerate(section.carriers, 1):
        host, port = split(each)
        yield f"\tcase {number}:"
        yield f'\t\t$ru = "sip:" + $var(b) + "@{_uri_host(host)}:{port}";'
        yield f'\t\t$du = "sip:{_uri_host(host)}:{port};transport={section.transport}";'
        yield "\t\tbreak;"


def _sources(section: TrunkSection) -> str:
    """A condition of the configuration: it comes from the carrier."""
    hosts = [f'$si == "{host}"' for host in carrier_hosts(section)]
    networks = [f'is_in_subnet("$si", "{ip_network(each)}")' for each in section.also_from]
    return " || ".join([*hosts, *networks])


def _numbers(section: TrunkSection) -> str:
    """A condition: it is one of ours."""
    if not section.numbers:
        return "1 == 1"
    choice = "|".join(re.escape(prefix.removeprefix("+")) for prefix in section.numbers)
    return f'$var(called) =~ "^\\+({choice})"'


def _socket(transport: str, endpoint: str) -> str:
    host, port = split(endpoint)
    return f"{transport}:{_uri_host(host)}:{port}"


def _uri_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
