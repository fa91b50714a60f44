"""Voicemail in numbers, for whoever watches this node; nothing of who has called whom."""

from safeum_home.admin.metrics import Metric, Sample
from safeum_home.node.voicemail import VoicemailParts


def of_voicemail(parts: VoicemailParts) -> list[Metric]:
    """Whether calls are answered, how many now, and what became of those before."""
    counts, deliveries = parts.mailbox.counts, parts.deliveries
    ended = {"delivered": deliveries.delivered, "empty": counts.empty, "lost": deliveries.lost}
    return [
        Metric(
            "voicemail_up",
            "gauge",
            "1 where calls are answered, and there is room for one more.",
            [Sample({}, int(parts.answering.is_up))],
        ),
        Metric(
            "voicemail",
            "gauge",
            "Calls that are being answered.",
            [Sample({}, parts.answering.taken)],
        ),
        Metric("voicemail_taken", "counter", "Calls that were taken.", [Sample({}, counts.taken)]),
        Metric(
            "voicemail_ended",
            "counter",
            "What became of them: delivered, nothing said, or lost since it could not be stored.",
            [Sample({"outcome": name}, number) for name, number in ended.items()],
        ),
    ]
