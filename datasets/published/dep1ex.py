"""A participatory economy: worker and consumer councils, as the program pequod-cljs reads them.

    (def ccs                                                              consumer councils
    [{:income 5000, :utility-exponents [0.2 0.3], :public-good-exponents [0.5], ...} ...])
    (def wcs                                                              worker councils
    [{:industry 0, :product 2, :production-inputs [[1 3] [2] [3]], :input-exponents [0.1 0.2],
      :nature-exponents [0.2], :labor-exponents [0.3], ...} ...])

Industry 0 makes private goods, 1 intermediate goods, 2 public goods, each numbered from 1; inputs
are intermediate goods, natural resources and kinds of labour. A worker council makes
q = a eᶜ Π xᵢ^bᵢ at effort e, and proposes what maximises λ q − Σ pᵢ xᵢ − s eᵏ; hence
pᵢ xᵢ = bᵢ λ q: whatever the prices are, it spends the share bᵢ of its revenue on input i.
A consumer council spends fixed shares of its income. So in money, without a single price:

    a_ig = mean of bᵢ over the councils that make g;  natural resources, labour: factors likewise
    f_g  = Σ over consumer councils of income · u_g / Σ u

(Public goods too: each council is asked the price divided by the number of councils, and the sum of
what they want is divided by it again, which leaves the money as it is.)

Every council counts alike, for there are no outputs in the file. It is the average recipe, not that
of the equilibrium, in which councils with a larger Σ b are much larger. Returns to scale, which
decrease in the file, are lost: a plan here is that of the network economy with these shares, whose
returns are constant. ``labour`` and ``nature`` are sums over their kinds.

Sources: github.com/msszczep/pequod-cljs, csvgen.clj; github.com/enshulv/demplan, dep1ex.rs; Hahnel
(2021), Democratic Economic Planning. Shares as coefficients: Long and Plosser (1983), Real Business
Cycles; Acemoglu et al. (2012), The Network Origins of Aggregate Fluctuations.
"""

import gzip
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from scipy.sparse import coo_array

from ogas.datasets.columns import labels
from ogas.datasets.found import Found, reading
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


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of one kind, by council: the number of the input, who makes what with it, the share.

    Attributes
    ----------
    council, number : (inputs,) int64
    user : (inputs,) int64
        The place of the product that is made.
    share : (inputs,) float64
        Of the revenue from that product.
    """

    council: Integers
    number: Integers
    user: Integers
    share: Vector

    def of(self, products: int, number: int | None = None) -> Vector:
        """Return how much of all of them, or of one number, there is in each product."""
        own = slice(None) if number is None else self.number == number
        return np.asarray(np.bincount(self.user[own], self.share[own], products), np.float64)


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
    others = np.unique(product[industry == MADE.index("intermediate")])
    spent = consumers.spent | {"intermediate": np.zeros(others.size)}
    first, n = {}, 0
    for good, amounts in spent.items():
        first[good], n = n, n + amounts.size
        _check_made(good, product[industry == MADE.index(good)], amounts.size)
    maker = np.array([first[good] for good in MADE])[industry] + product - 1
    inputs = _inputs(workers, maker)
    bought = inputs["intermediate"]
    _check_bought(bought, others.size)
    places = bought.number - 1 + first["intermediate"], bought.user
    factors = _factors(inputs, n, picked)
    kinds = np.repeat(list(spent), [amounts.size for amounts in spent.values()])
    header = Header(
        ids=labels([f"{good} {k + 1}" for good in spent for k in range(spent[good].size)]),
        demand=np.concatenate(list(spent.values())),
        factors=factors,
        units="money",
        factor_units=dict.fromkeys(factors, "money"),
    )
    scale = np.zeros(maker.size)
    np.add.at(scale, np.array(workers.inputs[::3]) - 1, workers.exponents)
    return Found(
        coefficients_from(coo_array((bought.share, places), shape=(n, n))),
        header,
        (*_told(consumers, maker, n, scale), *picked.messages()),
        {"kind": kinds},
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


def _check_bought(bought: Inputs, size: int) -> None:
    unknown = np.flatnonzero(bought.number > size)
    if unknown.size:
        raise InvalidInputError(
            f"it uses intermediate good {bought.number[unknown[0]]}, which no council makes",
            where=f"{WORKER} {bought.council[unknown[0]]}",
        )


def _inputs(workers: Workers, maker: Integers) -> dict[str, Inputs]:
    council, kind, number = np.array(workers.inputs).reshape(-1, 3).T
    user = maker[council - 1]
    share = np.array(workers.exponents) / np.bincount(maker)[user]
    return {
        name: Inputs(council[own], number[own], user[own], share[own])
        for name, own in ((name, kind == k) for k, name in enumerate(INPUTS))
    }


def _factors(inputs: Mapping[str, Inputs], n: int, picked: Picked) -> dict[str, Vector]:
    """Return the sums over all kinds, then single kinds, as far as they are wanted."""
    factors = {name: inputs[name].of(n) for name in SUMMED if picked.takes(name)}
    for name in SUMMED:
        for k in np.unique(inputs[name].number).tolist():
            if picked.takes(f"{name} {k}"):
                factors[f"{name} {k}"] = inputs[name].of(n, k)
    return factors


def _told(consumers: Consumers, maker: Integers, goods: int, scale: Vector) -> tuple[str, ...]:
    return (
        f"{maker.size:,} worker councils make {goods:,} goods, and {consumers.count:,} consumer "
        "councils spend their incomes on them",
        "all in money: a coefficient is the mean exponent of the councils that make a good, each "
        "counted alike, as the file has no outputs",
        f"returns to scale (exponents add up to {scale.min():.3g} ... {scale.max():.3g}) and "
        "effort are lost: this is not the equilibrium of the councils",
    )
