"""Products, inputs and amounts by their bar codes: the text that the program plecpr reads.

    370483129521,0 669555.0                 labour, in hours
    370483129521,434796144051 200.2         an input
    370483129521,1 500192.0                 the output that all of this is for

One line for each amount, in any order: the product, a comma, the input, a space, the amount. The
input 0 is labour, 1 is the product's own output. Final demand is what the outputs leave.

Source: github.com/lmr97/planned-econ-prices, read me (Cockshott and Cottrell 1993, chapter 5).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array

from ogas.datasets.columns import labels
from ogas.datasets.found import Found, per_unit, reading
from ogas.datasets.published.wanted import Picked, Wanted
from ogas.datasets.text import Lines, number_in
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import coefficients_from

LINE = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s+(\S+)\s*")
LABOUR, OUTPUT = "0", "1"
Amounts = dict[tuple[str, str], float]


def is_plecpr(head: list[str]) -> bool:
    """Return whether this is the first line of such a text."""
    return LINE.fullmatch(",".join(head)) is not None


def read_plecpr(source: Path, wanted: Wanted) -> Found:
    """Read the amounts.

    Raises
    ------
    InvalidInputError
        Naming the line, or the product without an output.
    """
    with reading(source):
        amounts: Amounts = {}
        for product, used, amount, place in _lines(source):
            if (product, used) in amounts:
                raise InvalidInputError(
                    f"the amount of {used} for {product} is there twice",
                    where=place,
                    advice="add them up, or remove one",
                )
            amounts[product, used] = amount
        return _found(amounts, Picked(wanted))


def _lines(source: Path) -> Iterator[tuple[str, str, float, str]]:
    with source.open("rb") as stream:
        for number, text in enumerate(Lines(stream, is_ours=True), start=1):
            if not text.strip():
                continue
            place = f"row {number}"
            parts = LINE.fullmatch(text)
            if parts is None:
                raise InvalidInputError(
                    f"{text.strip()[:40]!r} is no product,input amount",
                    where=place,
                    advice="write a line like 370483129521,434796144051 200.2",
                )
            yield parts[1], parts[2], number_in(parts[3], place), place


def _found(amounts: Amounts, picked: Picked) -> Found:
    products = list(dict.fromkeys(product for product, _ in amounts))
    number = {product: k for k, product in enumerate(products)}
    for product, used in amounts:
        if used not in (LABOUR, OUTPUT) and used not in number:
            raise InvalidInputError(
                f"it uses {used}, which nobody makes",
                where=f"product {product}",
                advice=f"add what {used} is made of, at least the line {used},1 AMOUNT",
            )
    entries = [
        (number[used], number[product], amount)
        for (product, used), amount in amounts.items()
        if used not in (LABOUR, OUTPUT)
    ]
    rows, columns, values = np.array(entries or np.empty((0, 3))).T
    n = len(products)
    places = rows.astype(np.int64), columns.astype(np.int64)
    labour = np.array([amounts.get((product, LABOUR), 0.0) for product in products])
    header = Header(
        ids=labels(products),
        output=np.array([_output(amounts, product) for product in products]),
        factors={"labour": labour} if picked.takes("labour") else {},
        factor_units={"labour": "h"},
    )
    message = "no final demand in it: taken to be what the outputs leave"
    matrix = coefficients_from(coo_array((values, places), shape=(n, n)))
    return per_unit(Found(matrix, header, (message, *picked.messages())))


def _output(amounts: Amounts, product: str) -> float:
    if (product, OUTPUT) not in amounts:
        raise InvalidInputError(
            "nobody says how much of it is made",
            where=f"product {product}",
            advice=f"add the line {product},1 AMOUNT",
        )
    return amounts[product, OUTPUT]
