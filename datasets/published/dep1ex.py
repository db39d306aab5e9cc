"""A participatory economy: worker and consumer councils, as the program pequod-cljs reads them.

    (def ccs                                                              consumer councils
    [{:income 5000, :utility-exponents [0.2 0.3], :public-good-exponents [0.5], ...} ...])
    (def wcs                                                              worker councils
    [{:industry 0, :product 2, :production-inputs [[1 3] [2] [3]], :input-exponents [0.1 0.2],
      :nature-exponents [0.2], :labor-exponents [0.3], :a 5.1, :c 0.06, :s 1, :du 3.7, ...} ...])

Industry 0 makes private goods, 1 intermediate goods, 2 public goods, each numbered from 1; inputs
are intermediate goods, natural resources and kinds of labour. A worker council that does its best
spends a fixed share of its revenue on each input, the exponent, whatever the prices are, and a
consumer council fixed shares of its income. So in money

    a_ig = mean of bᵢ over the councils that make g;  natural resources, labour: factors likewise
    f_g  = Σ over consumer councils of income · u_g / Σ u

(Public goods too: each council is asked the price divided by the number of councils, and the sum of
what they want is divided by it again, which leaves the money as it is.)

A file has no outputs to weigh councils by. Their revenues where all markets clear are found first
(`ogas.datasets.published.clearing`), with the endowments of the program; the plan is then that
equilibrium, product by product. Where none is found, every council counts alike, and that is told:
on a file drawn like the published ones, a plan of such average recipes has a third too much of
intermediate goods, since of 100 makers some 20 do most of the work. (Ten times the endowment, or a
tenth, moves it by 10 to 15 percent.) Returns to scale are lost: for another demand the plan is that
of the network economy with these shares, whose returns are constant. ``labour`` and ``nature`` are
sums over their kinds.

Sources: github.com/msszczep/pequod-cljs, csvgen.clj; github.com/enshulv/demplan, dep1ex.rs; Hahnel
(2021), Democratic Economic Planning. Shares as coefficients: Long and Plosser (1983), Real Business
Cycles; Acemoglu et al. (2012), The Network Origins of Aggregate Fluctuations.
"""

import gzip
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from scipy.sparse import coo_array, csr_array

from ogas.datasets.columns import labels
from ogas.datasets.found import Found, reading
from ogas.datasets.published.clearing import ENDOWMENT, Technology, revenues
from ogas.datasets.published.councils import (
    CONSUMER,
    INPUTS,
    MADE,
    SECTIONS,
    WORKER,
    Consumers,
    Workers,
    councils,
)
from ogas.datasets.published.wanted import Picked, Wanted
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Integers, Vector, coefficients_from

CLOJURE = (".clj", ".clj.gz")
SUMMED = ("labour", "nature")


def is_dep1ex(source: Path) -> bool:
    """Whether a file is Clojure by its name, packed or not."""
    return source.name.lower().endswith(CLOJURE)


def read_dep1ex(source: Path, wanted: Wanted) -> Found:
    """Read the councils and add them up.

    Raises
    ------
    InvalidInputError
        Naming the council and the key.
    DamagedError
        If the file is cut short, or packed otherwise than by gzip.
    """
    consumers, workers = Consumers(), Workers()
    with reading(source), closing(_opened(source)) as stream:
        for council in councils(stream):
            (consumers if council.kind == CONSUMER else workers).add(council)
        for section, read in zip(SECTIONS, (consumers.spent, workers.made), strict=True):
            if not read:
                raise InvalidInputError(
                    f"there is no {SECTIONS[section]} in it",
                    advice=f"it needs (def {section} [...]) as pequod-cljs has it",
                )
        return _found(consumers, workers, Picked(wanted))


def _opened(source: Path) -> BinaryIO:
    is_packed = source.name.lower().endswith(".gz")
    return cast(BinaryIO, gzip.open(source)) if is_packed else source.open("rb")


def _found(consumers: Consumers, workers: Workers, picked: Picked) -> Found:
    industry, product = np.array(workers.made).reshape(-1, 2).T
    others = np.unique(product[industry == MADE.index("intermediate")]).size
    spent = consumers.spent | {"intermediate": np.zeros(others)}
    first, n = {}, 0
    for good, amounts in spent.items():
        first[good], n = n, n + amounts.size
        _check_made(good, product[industry == MADE.index(good)], amounts.size)
    made = np.array([first[good] for good in MADE])[industry] + product - 1
    demand = np.concatenate(list(spent.values()))
    exponents, kinds = _exponents(workers, n, others)
    technology = Technology(made, exponents, *np.array(workers.technology).reshape(-1, 4).T)
    weights, weighed = _weights(technology, demand)
    makers = csr_array((weights, made, np.arange(made.size + 1)), shape=(made.size, n))
    shares = csr_array(exponents.T @ makers)
    factors = _factors(shares[n:], kinds, picked)
    header = Header(
        ids=labels([f"{good} {k + 1}" for good in spent for k in range(spent[good].size)]),
        demand=demand,
        factors=factors,
        units="money",
        factor_units=dict.fromkeys(factors, "money"),
    )
    scale = exponents.sum(axis=1)
    return Found(
        coefficients_from(shares[:n].tocoo()),
        header,
        (
            f"{made.size:,} worker councils make {n:,} goods, and {consumers.count:,} consumer "
            "councils spend their incomes on them",
            "all in money: a coefficient is the mean exponent of the councils that make a good, "
            + weighed,
            f"returns to scale (exponents add up to {scale.min():.3g} ... {scale.max():.3g}) are "
            "lost: for another demand, recipes and weights stay as they are",
            *picked.messages(),
        ),
        {"kind": np.repeat(list(spent), [amounts.size for amounts in spent.values()])},
    )


def _check_made(good: str, made: Integers, size: int) -> None:
    """Raise unless the goods that are made are exactly those that have a place: 1 ... size."""
    numbers = np.unique(made)
    missing = np.setdiff1d(np.arange(1, size + 1), numbers)
    if missing.size:
        raise InvalidInputError("no worker council makes it", where=f"{good} good {missing[0]}")
    if numbers.size > size:
        raise InvalidInputError(
            f"consumer councils have exponents of {size} such goods only",
            where=f"{good} good {numbers[-1]}",
        )


def _exponents(workers: Workers, n: int, others: int) -> tuple[csr_array, list[str]]:
    """Return councils by markets, and what those after the n goods are called."""
    council, kind, number = np.array(workers.inputs).reshape(-1, 3).T
    unknown = np.flatnonzero((kind == 0) & (number > others))
    if unknown.size:
        raise InvalidInputError(
            f"it uses intermediate good {number[unknown[0]]}, which no council makes",
            where=f"{WORKER} {council[unknown[0]]}",
        )
    market, kinds = number - 1 + n - others, list[str]()
    for k, name in enumerate(INPUTS):
        if k > 0:
            known, places = np.unique(number[kind == k], return_inverse=True)
            market[kind == k] = n + len(kinds) + places
            kinds += [f"{name} {which}" for which in known.tolist()]
    shape = len(workers.made) // 2, n + len(kinds)
    exponents = coo_array((workers.exponents, (council - 1, market)), shape=shape).tocsr()
    exponents.eliminate_zeros()
    return exponents, kinds


def _weights(technology: Technology, demand: Vector) -> tuple[Vector, str]:
    """Return the share of each council in what all makers of its product sell, and why."""
    revenue = revenues(technology, demand)
    if revenue is None:
        revenue = np.ones(technology.made.size)
        why = "each counted alike: no prices were found at which all markets clear"
    else:
        why = (
            "weighed by their revenues where all markets clear; the endowments are those of the "
            f"program, {ENDOWMENT:,.0f} of every natural resource and kind of labour"
        )
    return revenue / np.bincount(technology.made, revenue)[technology.made], why


def _factors(shares: csr_array, kinds: list[str], picked: Picked) -> dict[str, Vector]:
    """Return the sums over all kinds, then single kinds, as far as they are wanted."""
    rows = {name: [k for k, of in enumerate(kinds) if of.startswith(name)] for name in SUMMED}
    rows |= {kinds[k]: [k] for name in SUMMED for k in rows[name]}
    return {
        name: np.asarray(shares[which].sum(axis=0), np.float64)
        for name, which in rows.items()
        if picked.takes(name)
    }
