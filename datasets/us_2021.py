"""The bundled real economy, `us-2021`: the United States in 2021, 71 groups of products.

What it is. The Bureau of Economic Analysis publishes which industry uses which product (the *use*
table U, 73 products by 71 industries) and which industry supplies which product (the *supply* table
S, the same shape; the file is called "make" but has products in its rows). Under the industry
technology assumption, every product of an industry is made with that industry's mix of inputs:

    A = U ĝ⁻¹ Sᵀ q̂⁻¹,      l = (compensation / g) Sᵀ q̂⁻¹,      x = q,      f = x − A x

- g is the total output of each industry at basic prices, q the row sums of S. The last column of
  the supply file is *not* q: it includes imports, and A would be off by up to 0.12.
- The products "Scrap" and "Noncomparable imports" are dropped: 71 remain, in $ million.
- U is at purchasers' prices and q at basic prices, so the demand f is a **balancing item**: final
  uses net of imports and of taxes on products, with trade margins sitting in the trade rows.
- Signs. 13 entries of f are negative: imports exceed the final uses (oil and gas by $135 billion).
  One coefficient is negative, −7·10⁻⁷ (insurance used by state enterprises). Radius 0.504.
- Check. Labour is compensation of employees per dollar of output. What it costs to make x is what
  it takes to make f: lᵀx = vᵀf = $12,544,115 million.

The published coefficients came out of a linear algebra library whose sums depend on the processor.
Its orders of summation are spelled out below, with exactly rounded multiply-adds, so that the table
comes out the same, to the last bit, on every machine. They matter to nothing else.

``python -m ogas.datasets.us_2021`` rebuilds the store from the two files.
"""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.store import publish
from ogas.engine.table import Table, Vector, coefficients_from

BUNDLED = Path(__file__).parent / "bundled"
SOURCES = BUNDLED / "us-2021-sources"
PRODUCTS = 71  # without "Scrap" and "Noncomparable imports"
INDUSTRIES = 71
COMMODITIES = 73
COMPENSATION, OUTPUT = "Compensation of employees", "Total industry output (basic prices)"


def build(sources: Path = SOURCES) -> Table:
    """Make the table from ``use_71.csv`` and ``make_71.csv`` in the folder ``sources``.

    Takes about two seconds: every multiply-add is rounded exactly.
    """
    labels, use = _numbers(sources / "use_71.csv")
    _, supply = _numbers(sources / "make_71.csv")
    g = use[labels.index(OUTPUT)]
    S = supply[:COMMODITIES]
    x = S.sum(axis=1)[:PRODUCTS]
    shares = (S[:PRODUCTS].T / x).copy()
    A = _coefficients(use[:PRODUCTS] / g, shares)
    labour = _labour(use[labels.index(COMPENSATION)] / g, shares)
    return Table(
        coefficients_from(csr_array(A)),
        np.array(labels[:PRODUCTS]),
        demand=x - np.array([_row_times(row, x) for row in A]),
        factors={"labour": labour},
        units="$ million",
        factor_units={"labour": "$ million of compensation"},
        output=x,
        meta=META,
    )


META = {
    "title": "United States 2021",
    "source": "US Bureau of Economic Analysis, supply and use tables 2021, summary level; files "
    "from the package quantecon-book-networks 1.6",
    "licence": "BEA: public domain; carrier package: MIT",
    "year": 2021,
    "method": "product by product, industry technology",
    "demand": "balancing item x - A x: final uses at purchasers' prices, net of imports and taxes",
}


def _numbers(file: Path) -> tuple[list[str], Vector]:
    """Return the row labels and the numbers of the 71 industries; ``---`` is nothing."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    cells = [row[1 : INDUSTRIES + 1] for row in rows]
    values = [[0.0 if cell == "---" else float(cell) for cell in row] for row in cells]
    return [row[0] for row in rows], np.array(values)


def _multiply_add(a: float, b: float, c: float) -> float:
    """Return a b + c, rounded once."""
    return float(Fraction(a) * Fraction(b) + Fraction(c)) if a and b else c


def _chain(a: Vector, b: Vector) -> float:
    total = 0.0
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        total = _multiply_add(one, other, total)
    return total


def _coefficients(recipes: Vector, shares: Vector) -> Vector:
    """Return ``recipes @ shares``, each entry one chain of multiply-adds."""
    return np.array([[_chain(row, column) for column in shares.T] for row in recipes])


def _labour(labour: Vector, shares: Vector) -> Vector:
    """Return ``labour @ shares``: chains of four in the order 1 0 2 3, the last ones singly."""
    result = np.zeros(shares.shape[1])
    whole = len(labour) // 4 * 4
    for start in range(0, whole, 4):
        four = start + np.array([1, 0, 2, 3])
        result += [_chain(labour[four], column) for column in shares[four].T]
    for last in range(whole, len(labour)):
        result += labour[last] * shares[last]
    return result


def _row_times(row: Vector, x: Vector) -> float:
    """Return ``row @ x``: four lanes of multiply-adds, and the last products added singly."""
    whole = len(row) // 4 * 4
    lanes = [_chain(row[lane:whole:4], x[lane:whole:4]) for lane in range(4)]
    rest = 0.0
    for last in range(whole, len(row)):
        rest += row[last] * x[last]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest


if __name__ == "__main__":
    print(publish(BUNDLED / "us-2021", build(), note="as published").name)
    (BUNDLED / "us-2021" / "lock").unlink()
