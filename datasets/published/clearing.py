"""What worker councils sell at the prices at which all markets clear.

A council makes q = a eᶜ Π xᵢ^bᵢ at effort e and proposes what maximises λ q − Σ pᵢ xᵢ − s eᵏ. It
spends bᵢ R on input i, and at any prices its revenue R = λ q obeys

    (1 − Σ b − c/k) log R = log λ + log a + (c/k) log(c / (k s)) + Σ bᵢ (log bᵢ − log pᵢ)

Markets clear, in money, where

    Σ R of the makers = final spending + Σ b R        every good
    p · endowment     = Σ b R                         every natural resource and kind of labour

Prices follow excess demand, log p ← log p + h log(demand / supply), as in the program itself, but
with one small step h for all.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ogas.engine.table import Integers, Vector

ENDOWMENT = 1000.0  # of each resource and kind of labour; in the program, not in the files
CLEARED = 1e-9  # relative excess demand
ROUNDS = 5000
SHARE_OF_STEP, LARGEST = 0.8, 0.05  # of 1 − Σ b − c/k, by which supply outruns a price; of log p
FIRST_PRICE = 700.0


@dataclass(frozen=True, eq=False)
class Technology:
    """What w councils make of what, with m markets: goods, then resources and labour.

    Attributes
    ----------
    made : (w,) int64
        The market of the product.
    exponents : (w, m) CSR
        b.
    scale, effort, cost, power : (w,) float64
        a, c, s and k.
    """

    made: Integers
    exponents: csr_array
    scale: Vector
    effort: Vector
    cost: Vector
    power: Vector

    @property
    def returns(self) -> Vector:
        """Σ b + c/k (w,): of 1 or more, there is no best proposal."""
        returns: Vector = self.exponents.sum(axis=1) + self.effort / self.power
        return returns

    @property
    def level(self) -> Vector:
        """What the revenue depends on besides prices (w,)."""
        logs = self.exponents.copy()
        logs.data = logs.data * np.log(logs.data)
        eased = np.log(self.effort / (self.power * self.cost)) * self.effort / self.power
        level: Vector = np.log(self.scale) + eased + logs.sum(axis=1)
        return level


def revenues(technology: Technology, spent: Vector) -> Vector | None:
    """Return the revenue of every council (w,), or None where no clearing prices are found.

    ``spent`` is final spending on every good, (n,) of the m markets.
    """
    left = 1.0 - technology.returns
    if left.min() <= 0:
        return None
    goods, markets = spent.size, technology.exponents.shape[1]
    spending = np.concatenate([spent, np.zeros(markets - goods)])
    bought = technology.exponents.T.tocsr()
    step = SHARE_OF_STEP * min(float(left.min()), 0.5)
    price = np.full(markets, np.log(FIRST_PRICE))
    with np.errstate(all="ignore"):  # what nobody wants has no price; it is found below
        level = technology.level
        for _ in range(ROUNDS):
            gain = price[technology.made] + level - technology.exponents @ price
            revenue: Vector = np.exp(gain / left)
            supply = np.bincount(technology.made, revenue, markets)
            supply[goods:] = ENDOWMENT * np.exp(price[goods:])
            excess = np.log((spending + bought @ revenue) / supply)
            if not np.isfinite(excess).all():
                return None
            if np.abs(excess).max() < CLEARED:
                return revenue
            price += np.clip(step * excess, -LARGEST, LARGEST)
    return None
