"""The `safeum` plugin of twistd: its options, and the service that they describe."""

from pathlib import Path

from twisted.application.service import IService
from twisted.python import usage

from safeum_home.config import Config, ConfigError, load
from safeum_home.node import collector
from safeum_home.node.free_port import PORT, port_number


class Options(usage.Options):
    """`twistd safeum`"""

    synopsis = "[options]"
    longdesc = "Runs a SafeUM node. It waits, sealed, until its root secret is fed."
    optParameters = [
        ["config", "c", None, "The configuration file (TOML)."],
        ["port", None, PORT, "With --development: the port on localhost.", port_number],
        ["root-fd", None, None, "Read the root secret from this inherited descriptor.", int],
    ]
    optFlags = [
        ["development", None, "A node on localhost with a random root secret: all data is gone at exit."],
    ]
    configuration: Config | None = None

    def postOptions(self) -> None:
        if (self["config"] is None) == (not self["development"]):
            raise usage.UsageError("give either --config FILE or --development")
        if self["config"] is not None:
            try:
                self.configuration = load(Path(self["config"]))
            except ConfigError as error:
                raise SystemExit(f"safeum-home: {error}") from None


def makeService(options: Options) -> IService:
    """The service that `options` ask for: twistd calls this once, before it daemonises.

    Raises SystemExit, with a line for the operator, where it could not start.
    """
    # All that a node is made of is loaded now. With Python's default a quarter of that is looking for cycles.
    collector.look_seldom()
    from twisted.internet import reactor

    from safeum_home.node.development import DevelopmentNode
    from safeum_home.node.start import NodeStart
    from safeum_home.node.startup import StartError, check

    service: IService
    if options.configuration is None:
        service = DevelopmentNode(reactor, options["port"])
    else:
        try:
            check(options.configuration)
        except StartError as error:
            raise SystemExit(f"safeum-home: {error}") from None
        service = NodeStart(reactor, options.configuration, options["root-fd"])
    return service
