"""What is sent to providers: one constant of one size for each class, and nothing else ever."""

from collections.abc import Mapping
from types import MappingProxyType

from safeum_home.ports.push import Wake

SIZE = 64
"""Octets of a payload, for every class."""


def _payload(wake: Wake) -> bytes:
    begun = b'{"wake":"%s","pad":"' % wake.value.encode()
    return begun + b"0" * (SIZE - len(begun) - 2) + b'"}'


PAYLOADS: Mapping[Wake, bytes] = MappingProxyType({wake: _payload(wake) for wake in Wake})
"""A JSON object: `wake` is the class, `pad` fills it up."""
