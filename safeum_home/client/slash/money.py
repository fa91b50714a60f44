"""The commands of the terminal client about money: the balance, what calls cost, invoices."""

from pathlib import Path

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import Notice
from safeum_home.client.slash.dialled import asked
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.words.money_words import amount, invoice_csv, line, micros, premium, price
from safeum_home.client.words.telephone_numbers import shown
from safeum_home.client.words.text import safe
from safeum_home.client.words.topup_words import page, transfer, ways
from safeum_home.client.words.typed_numbers import number_in
from safeum_home.protocol.commands.premium import MOST_MONTHS

SHOWN = 50
"""Lines of a statement."""


@slash("balance", "", "what you can spend on calls, and what became of it")
async def _balance(desk: Desk, argument: str) -> None:
    told = await desk.client.balance()
    held = f", and {amount(told.held)} held for calls" if told.held else ""
    lives = f"You live in {safe(told.country)}." if told.country else "Say where you live: /country CODE."
    statement = await desk.client.statement(limit=SHOWN)
    lines = [f"{amount(told.balance)} {safe(told.currency)}{held}. {lives}", ""]
    lines += [line(each) for each in statement.lines]
    if statement.more:
        lines.append(f"These are the last {SHOWN}; invoices have all: /invoice.")
    desk.read([Notice(desk.now(), None, each, "help") for each in lines])


@slash("country", "CODE", "say where you live, as DE: its tax is part of prices")
async def _country(desk: Desk, argument: str) -> None:
    code = argument.upper()
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        raise Mistake("Which one? Two letters, as DE, FR, AT.")
    await desk.client.set_country(code)
    desk.note(f"Prices are with the tax of {code} from now on.")


@slash("price", "NUMBER", "what a call to a number costs")
async def _price(desk: Desk, argument: str) -> None:
    number = await asked(desk, argument)
    desk.note(f"{shown(number)}: {price(await desk.client.call_price(number))}.")


@slash("invoice", "[MONTH FILE]", "which invoices there are, or save one (CSV)")
async def _invoice(desk: Desk, argument: str) -> None:
    month, _, name = argument.partition(" ")
    if not month:
        months = (await desk.client.invoices()).months
        desk.note(f"Invoices: {', '.join(months)}." if months else "There are no invoices.")
        return
    if not name.strip():
        raise Mistake("Into which file? /invoice 2026-11 FILE.")
    text = invoice_csv(await desk.client.invoice(month))
    desk.note(f"Saved as {_save(name.strip(), text)}.")


@slash("redeem", "CODE", "add what a voucher is worth to your balance")
async def _redeem(desk: Desk, argument: str) -> None:
    if not argument:
        raise Mistake("Which one? /redeem CODE.")
    token = desk.tokens.get(argument)
    if token is None:
        token = desk.tokens[argument] = await desk.client.exchange_voucher(argument)
    told = await desk.client.redeem(token)
    desk.tokens.pop(argument, None)
    desk.note(f"{amount(token.amount)} {safe(token.currency)} were added: {amount(told.balance)} now.")


@slash("topup", "AMOUNT [WAY]", "pay in, as 20: on which page, or what ways there are")
async def _topup(desk: Desk, argument: str) -> None:
    if not argument:
        desk.note(ways(await desk.client.payment_ways()))
        return
    text, _, way = argument.partition(" ")
    begun = await desk.client.top_up(_amount(text), way.strip() or None)
    desk.note(page(begun))


@slash("transfer", "", "pay in by a bank transfer: where to, and with which reference")
async def _transfer(desk: Desk, argument: str) -> None:
    told = await desk.client.transfer()
    desk.read([Notice(desk.now(), None, each, "help") for each in transfer(told)])


@slash("premium", "[MONTHS]", "until when you have premium, or pay for months of it")
async def _premium(desk: Desk, argument: str) -> None:
    state = await desk.client.premium()
    months = number_in(argument) or 0
    if argument and not 1 <= months <= MOST_MONTHS:
        raise Mistake(f"For how many months? /premium 1, up to {MOST_MONTHS}.")
    if not argument or state.free:
        desk.note(premium(state, desk.now()))
        return
    price = f"{amount(months * state.price)} {safe(state.currency)}"
    answer = await desk.questions.ask(f"Pay {price} for {months} months of premium? yes/no")
    if answer.strip().casefold() != "yes":
        desk.note("Nothing was paid.")
        return
    desk.note(premium(await desk.client.buy_premium(months, state.price), desk.now()))


def _amount(text: str) -> int:
    found = micros(text)
    if not found:
        raise Mistake("How much? As 20, or 12.50.")
    return found


def _save(name: str, text: str) -> str:
    """The name of the file that it made."""
    path = Path(name).expanduser()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Mistake(f"{safe(path.name)} is there already.") from None
    except OSError as error:
        raise Mistake(f"{safe(path.name)} cannot be written: {error.strerror}.") from None
    return safe(path.name)
