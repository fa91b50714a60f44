"""What is told of this computer: as much as is certain, and nothing that would tell it from others."""

import platform
import re
import sys
import warnings

from tzlocal import get_localzone_name

from safeum_home.protocol.types import TIME_ZONE_PATTERN, DeviceInfo, DeviceType

_TIME_ZONE = re.compile(TIME_ZONE_PATTERN)
_DESKTOPS = ("Linux", "Darwin", "Windows", "FreeBSD", "OpenBSD", "NetBSD")


def this_device(name: str = "Python SDK", kind: DeviceType | None = None) -> DeviceInfo:
    """This computer: its operating system with the version, what kind it is, and its time zone.

    Its model and where it is are not known here. Only the account's owner sees any of it.
    """
    return DeviceInfo(name, _system()[:64], kind or _kind(), time_zone=_time_zone())


def _system() -> str:
    """`Debian GNU/Linux 12`: neither the exact kernel nor the host name is anybody's business."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:  # not Linux, or one without os-release(5)
        version = "" if platform.system() == "Linux" else platform.mac_ver()[0] or platform.release()
        return f"{platform.system() or 'unknown'} {version}".strip()
    return f"{release['NAME']} {release.get('VERSION_ID', '')}".strip()


def _kind() -> DeviceType | None:
    """A computer as one sits at; on Android and iOS it may be a phone or a tablet, so nothing is said."""
    if hasattr(sys, "getandroidapilevel") or sys.platform in ("android", "ios"):
        return None
    return DeviceType.DESKTOP if platform.system() in _DESKTOPS else DeviceType.OTHER


def _time_zone() -> str | None:
    """The name of the local time zone; None where the system does not say, or contradicts itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            name = get_localzone_name()
    except (LookupError, OSError, ValueError, UserWarning):
        return None
    return name if name and _TIME_ZONE.match(name) else None
