"""The number that a command of the terminal client is about."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.words.telephone_numbers import is_national, understood


async def asked(desk: Desk, text: str) -> str:
    """In international form, with the country that the account has said; raises `Mistake`."""
    country = (await desk.client.balance()).country if is_national(text) else None
    try:
        return understood(text, country)
    except ValueError as error:
        raise Mistake(str(error)) from None
