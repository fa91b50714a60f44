"""The commands `call.log` and `call.forget`."""

from safeum_home.calls.log import CallLog
from safeum_home.calls.times import KeptTimes
from safeum_home.ports import Caller, Database
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.calls import CallEntries, CallForget, LoggedCall
from safeum_home.protocol.commands.calls import CallLog as CallLogParams

MOST_SECONDS = 2**31


class LogCommands:
    """An account's own log."""

    def __init__(self, database: Database, log: CallLog, times: KeptTimes) -> None:
        self._database = database
        self._log = log
        self._times = times

    async def log(self, caller: Caller, params: CallLogParams) -> CallEntries:
        """What goes on is there as of when it was last stored."""
        account, before, limit = caller.account, params.before, params.limit
        found, more = await self._database.read(lambda c: self._log.page(c, account, before, limit))
        entries = [
            LoggedCall(times.at, min((times.until - times.at) // 1000, MOST_SECONDS)) for times in found
        ]
        return CallEntries(entries, more)

    async def forget(self, caller: Caller, params: CallForget) -> Done:
        """What goes on now is not logged any more either."""
        account = caller.account
        self._times.forget(account)
        await self._database.transact(lambda c: self._log.forget(c, account))
        return Done()
