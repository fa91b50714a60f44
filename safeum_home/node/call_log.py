"""The log of calls, made and wired."""

from typing import NamedTuple

from safeum_home.calls.log import CallLog
from safeum_home.calls.log_commands import LogCommands
from safeum_home.calls.log_sweep import LogSweep
from safeum_home.calls.times import KeptTimes
from safeum_home.gateway.dispatch import Routes
from safeum_home.node.means import DomainMeans
from safeum_home.protocol.commands import calls as commands


class CallLogParts(NamedTuple):
    """What the rest of the node needs of it."""

    times: KeptTimes
    routes: Routes
    sweep: LogSweep

    def start(self) -> None:
        """Delete what is there for too long, from time to time."""
        self.sweep.start()

    def stop(self) -> None:
        """What is known of calls that go on is handed to the database."""
        self.sweep.stop()
        self.times.flush()


def make_call_log(means: DomainMeans) -> CallLogParts:
    """`times` is for whoever knows of calls."""
    vault, history = means.vault, means.config.history
    log = CallLog(vault.keyring, vault.blinder, history.call_log_days, means.milliseconds)
    times = KeptTimes(means.clock, means.database, log)
    does = LogCommands(means.database, log, times)
    routes: Routes = {commands.CallLog: does.log, commands.CallForget: does.forget}
    return CallLogParts(times, routes, LogSweep(means.clock, means.database, log))
