"""What Janus is told. Its API secret is in the first file alone; the others are for anybody to see."""

from collections.abc import Mapping
from pathlib import Path

from safeum_home.config_trunk import TrunkSection, split

PROGRAM = "janus"
PACKAGE = "janus"
_LIBRARIES = Path("/usr/lib")
_PLUGIN, _TRANSPORT = "plugins/libjanus_sip.so", "transports/libjanus_websockets.so"
_MAIN = """\
general: {{
	plugins_folder = "{folder}/plugins"
	transports_folder = "{folder}/transports"
	events_folder = "{folder}/none"
	loggers_folder = "{folder}/none"
	server_name = "edge"
	debug_level = 4
	debug_timestamps = false
	debug_colors = false
	hide_dependencies = true
	api_secret = "{secret}"
	admin_secret = "{admin}"
	session_timeout = 60
	reclaim_session_timeout = 0
	candidates_timeout = 15
	exit_on_dl_error = true
	opaqueid_in_api = false
}}
media: {{
	ipv6 = {ipv6}
	rtp_port_range = "{first}-{last}"
	dtls_mtu = 1200
	no_media_timer = 2
}}
nat: {{
	ice_lite = false
	full_trickle = false
	ice_enforce_list = "{enforced}"
	ice_tcp = false
	ignore_mdns = true
{public}}}
plugins: {{}}
transports: {{}}
loggers: {{}}
events: {{}}
"""
_SIP = """\
general: {{
	local_ip = "{local}"
	local_media_ip = "{media}"
	sdp_ip = "{seen}"
	keepalive_interval = 0
	behind_nat = false
	user_agent = "edge"
	register_ttl = 60
	rtp_port_range = "{first}-{last}"
	events = false
}}
"""
_WEBSOCKETS = """\
general: {{
	events = false
	json = "compact"
	pingpong_trigger = 5
	pingpong_timeout = 5
	ws = true
	ws_port = {port}
	ws_ip = "{address}"
	wss = false
	ws_logging = "err"
}}
admin: {{
	admin_ws = false
	admin_wss = false
}}
"""


def configuration(section: TrunkSection, secret: str, admin: str, folder: Path) -> str:
    """janus.jcfg. `admin` guards what is not served anywhere; `folder` has what `others` gives."""
    app = section.app or [_media(section)]
    public = f'\tnat_1_1_mapping = "{section.app_public}"\n' if section.app_public else ""
    return _MAIN.format(
        folder=folder,
        secret=secret,
        admin=admin,
        ipv6="true" if any(":" in each for each in app) else "false",
        first=section.app_first_port,
        last=section.app_last_port,
        enforced=",".join(app),
        public=public,
    )


def others(section: TrunkSection) -> Mapping[str, str]:
    """The further files, by name."""
    host, port = split(section.websocket)
    media = _media(section)
    sip = _SIP.format(
        local=section.janus,
        media=media,
        seen=section.public or media,
        first=section.first_port,
        last=section.last_port,
    )
    return {
        "janus.plugin.sip.jcfg": sip,
        "janus.transport.websockets.jcfg": _WEBSOCKETS.format(port=port, address=host),
    }


def libraries() -> Mapping[str, Path]:
    """What is loaded, and nothing besides: where it goes below the folder. Raises FileNotFoundError."""
    for base in (_LIBRARIES / "janus", *sorted(_LIBRARIES.glob("*/janus"))):
        found = {name: base / name for name in (_PLUGIN, _TRANSPORT)}
        if all(path.exists() for path in found.values()):
            return found
    raise FileNotFoundError(_PLUGIN)


def _media(section: TrunkSection) -> str:
    return section.media or split(section.listen)[0]
