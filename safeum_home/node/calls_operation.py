"""What an operator may ask about calls, over the socket."""

from safeum_home.admin.commands import Handler
from safeum_home.admin.metrics import Metrics
from safeum_home.admin.wire import Params
from safeum_home.node.calls_metrics import metrics, of_conferences
from safeum_home.node.carriers_metrics import of_carriers
from safeum_home.node.opened import opened
from safeum_home.node.service import Node
from safeum_home.node.telephone_metrics import of_telephone
from safeum_home.node.voicemail_metrics import of_voicemail


def calls_handlers(node: Node) -> dict[str, Handler]:
    """`calls.metrics`, which raises `sealed` while the node is not open."""

    def numbers(params: Params) -> Metrics:
        domain, _ = opened(node)
        calls, conferences = domain.calls, domain.conferences
        groups = of_conferences(conferences.hub, conferences.here)
        telephone = of_telephone(domain.telephone)
        carriers = [] if node.carriers is None else of_carriers(node.carriers)
        voicemail = of_voicemail(domain.voicemail)
        return Metrics([*metrics(calls.legs, calls.counts), *groups, *telephone, *voicemail, *carriers])

    return {"calls.metrics": Handler(Params, numbers)}
