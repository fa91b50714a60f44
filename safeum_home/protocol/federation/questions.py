"""What nodes ask each other, by name: `POST /_safeum/federation/v1/ask/<name>`, a JSON object each way."""

from msgspec import Struct

from safeum_home.protocol.scalars import Account


class FindAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """Which account somebody has who signs in as `login` at the node that is asked."""

    login: str


class FoundAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """It is there. Others are answered with `not_found`."""

    account: Account


QUESTIONS: dict[str, type[Struct]] = {"account.find": FindAccount}
NAME_OF = {question: name for name, question in QUESTIONS.items()}
