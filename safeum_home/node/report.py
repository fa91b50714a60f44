"""What `safeum-home status` shows to the operator, but for what only the database knows."""

from safeum_home import __version__
from safeum_home.admin.wire import Status
from safeum_home.node.service import Node


def report_of(node: Node) -> Status:
    """How the node is now; it never blocks, and answers while the node is sealed too."""
    progress, edge, now = node.seal.progress, node.edge, node.reactor.seconds()
    return Status(
        version=__version__,
        node=node.config.node.name,
        state=node.status,
        have=progress.have,
        needed=progress.needed,
        memory=node.arena.level.value,
        core_dumps_off=node.hardening.no_core_dumps,
        database=node.config.database.url.partition(":")[0],
        connections=edge.connections if edge is not None else 0,
        listening=edge.addresses if edge is not None else [],
        health=node.health_endpoint.address,
        uptime=int(now - node.started),
        schema=node.schema,
        sms=node.texts.report() if node.texts is not None else [],
        push=node.pushes.report() if node.pushes is not None else [],
        payments=node.payments.report() if node.payments is not None else [],
        carriers=node.carriers.report() if node.carriers is not None else [],
        telephone=node.domain.telephone.report() if node.domain is not None else None,
        voicemail=node.domain.voicemail.report() if node.domain is not None else None,
        federation=node.federation.report() if node.federation is not None else None,
        certificate_days=node.certificate.days(now),
    )
