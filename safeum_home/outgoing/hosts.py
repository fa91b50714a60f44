"""Hosts in their one written form."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from safeum_home.errors import Problem
from safeum_home.ids import node_name

_BRACKETED = re.compile(r"\[([0-9a-f:.]{2,45})\](?::([1-9][0-9]{0,4}))?\Z")
_LIKE_A_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")


def host_and_port(text: str) -> tuple[str, int | None]:
    """What `HOST` or `HOST:PORT` in lower case means, an IPv6 address being in brackets. Raises ValueError.

    A host that ends in a number is an address or nothing (URL standard, section 3.5): what would be read
    as one by some and not by others, like `127.1`, is refused.
    """
    if bracketed := _BRACKETED.match(text):
        host, port = bracketed[1], bracketed[2]
        IPv6Address(host)
        if port is not None and int(port) > 65535:
            raise ValueError("not a port")
    else:
        try:
            name = node_name(text)
        except Problem:
            raise ValueError("not the name of a host") from None
        if name != text:
            raise ValueError("not in lower case")
        host, _colon, port = name.partition(":")
        if _LIKE_A_NUMBER.match(host.rpartition(".")[2]):
            IPv4Address(host)
    return host, int(port) if port else None


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ip_address(host)
    except (AddressValueError, ValueError):
        return False
    return True
