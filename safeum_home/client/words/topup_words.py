"""Paying in, in words."""

from safeum_home.client.words.money_words import amount
from safeum_home.client.words.text import moment, safe
from safeum_home.protocol.commands.topups import PaymentWays, TopUp, Transfer


def ways(told: PaymentWays) -> str:
    """In which ways one can pay in."""
    found = []
    if told.pages:
        names = ", ".join(map(safe, told.pages))
        bounds = f"{amount(told.smallest)} to {amount(told.largest)} {safe(told.currency)}"
        found.append(f"/topup AMOUNT for {bounds}, through {names}")
    if told.transfer:
        found.append("/transfer for a bank transfer")
    return f"You can pay in: {'; '.join([*found, '/redeem CODE for a voucher'])}."


def page(told: TopUp) -> str:
    """Where to pay. Nothing but a page over TLS is shown, whatever the node says."""
    url = safe(told.url)
    if not url.startswith("https://"):
        return "Your node names no page over TLS to pay on: do not pay."
    until = moment(told.until)
    money = f"{amount(told.amount)} {safe(told.currency)}"
    return f"Open this page by {until:%H:%M} and pay {money}: {url} . /balance shows when it is there."


def transfer(told: Transfer) -> list[str]:
    """What to enter at the bank."""
    until = moment(told.until)
    lines = [
        f"To:        {safe(told.holder)}",
        f"IBAN:      {safe(told.iban)}",
        *([f"BIC:       {safe(told.bic)}"] if told.bic else []),
        f"Reference: {safe(told.reference)}",
        "",
        f"Transfer any amount in {safe(told.currency)}. The reference is yours alone: enter it as the",
        "creditor reference, or as the message to the payee with nothing else. It takes some days.",
        f"It is good until {until.day} {until:%b} {until.year} and, once used, for a year from each time.",
    ]
    return lines
