"""A node with numbers and rates at a trunk, and two people with telephones: one for all tests of a module."""

import atexit
from functools import cache

from tests.e2e.relay import RelayProcess, Section, until
from tests.e2e.telephoner import TelephonerProcess
from tests.e2e.trunk import Trunk

VOICES = {"ada": 440.0, "ben": 880.0}
NUMBERS = "first,last,country,capabilities\n+3544900001,+3544900050,IS,voice-in voice-out\n"
RATES = (
    "prefix,destination,class,from,until,currency,connection_fee,price_per_minute,first_increment,increment\n"
    "49,Germany,fixed,2026-01-01,,EUR,0,0.06,1,1\n"
)
RATE = 71_400
"""Micro-units of a minute, with tax."""
SAFENUM = """
[safenum]
country = "DE"
calls_at_once = 1
"""


class Telephones:
    """`people` are ada, who has money, and ben; `numbers` are theirs."""

    def __init__(self) -> None:
        self.trunk = trunk = Trunk(node=SAFENUM)
        atexit.register(self.close)
        relayed = f'relay = ["{trunk.app_address}"]\nallow = ["{trunk.app}/32"]'
        trunk.node.add(Section(relayed).text)
        self.people: dict[str, TelephonerProcess] = {}
        self.trunk.node.start()
        self._operate()
        self.trunk.kamailio.start()
        self.trunk.janus.start()
        for login, hertz in VOICES.items():
            self.people[login] = self.person(login, hertz)
            self.people[login].begin("sign_up", login)
        for person in self.people.values():
            person.account = person.done()
        self.numbers = {login: str(person.do("number")) for login, person in self.people.items()}
        self.admin("balance", "credit", "ada", "10", "receipt", "--source", "test")
        self.until_up()

    def person(self, login: str, hertz: float) -> TelephonerProcess:
        """Somebody, who has yet to sign up."""
        node = self.trunk.node
        certificate = node.folder / "chain.pem"
        return TelephonerProcess(self.trunk.app_address, login, f"localhost:{node.port}", certificate, hertz)

    def relay(self) -> RelayProcess:
        """The node's relay: from loopback to where Janus is."""
        folder = self.trunk.node.folder
        return RelayProcess.of(folder / "node.toml", folder / "relay.log")

    def admin(self, *arguments: str) -> str:
        code, said = self.trunk.node.admin(*arguments)
        assert code == 0, said
        return said

    def _operate(self) -> None:
        """Numbers, and what calls cost."""
        folder = self.trunk.node.folder
        for name, text in (("numbers", NUMBERS), ("rates", RATES)):
            (folder / f"{name}.csv").write_text(text)
        self.admin("numbers", "load", str(folder / "numbers.csv"))
        self.admin("rates", "import", str(folder / "rates.csv"))

    def until_up(self) -> None:
        """The bridge is registered at the edge."""
        until(lambda: "carrier: up" in self.admin("status"))

    def close(self) -> None:
        for person in self.people.values():
            person.close()
        self.trunk.close()


@cache
def telephones() -> Telephones:
    """Made when it is wanted first; it ends with the process."""
    return Telephones()
