"""Classical results against the dense inverse, and against what textbooks print."""

from dataclasses import replace

import numpy as np
import pytest
from inverses import CASES, Dense, assert_encloses, drawn, two_sectors_of_miller_and_blair

from ogas.datasets.textbook import three_sectors
from ogas.engine.analyses.decomposition import decomposition
from ogas.engine.analyses.entries import columns_of, rows_of
from ogas.engine.analyses.extraction import extraction, extraction_of_groups
from ogas.engine.analyses.flows import ghosh
from ogas.engine.analyses.footprints import demand_by, footprints, traced
from ogas.engine.analyses.households import Households
from ogas.engine.analyses.linkages import linkages
from ogas.engine.analyses.multipliers import multipliers
from ogas.engine.analyses.paths import paths
from ogas.engine.analyses.price_changes import factor_price, product_price
from ogas.engine.analyses.production_prices import Wages, production_prices
from ogas.engine.analyses.upstream import stages
from ogas.engine.errors import (
    InvalidInputError,
    NotProductiveError,
    WrongUsageError,
)
from ogas.engine.table import coefficients_from


@pytest.fixture(params=CASES, scope="module")
def dense(request):
    return Dense(drawn(request.param))


def prices_of(dense):
    return np.ones(len(dense.f)) if dense.table.price is None else dense.table.price


def basket_of(dense):
    wanted = np.maximum(dense.f, 0)
    return wanted / (wanted @ prices_of(dense))


# ---- multipliers --------------------------------------------------------------------------------


def test_multipliers_are_those_of_the_dense_inverse(dense):
    found, p = multipliers(dense.inverse()).columns, prices_of(dense)
    assert_encloses(found["output"], p @ dense.L / p)
    for name, used in dense.table.factors.items():
        assert_encloses(found[name], used @ dense.L)
        assert_encloses(found[f"{name} type I"], used @ dense.L / used)


def test_closed_multipliers_are_those_of_the_bordered_inverse(dense):
    n, income = len(dense.f), dense.table.factors["labour"] * prices_of(dense) / 4
    table = replace(dense.table, factors=dict(dense.table.factors) | {"income": income})
    homes = replace(
        Households.of(Dense(table).inverse().header, "income", 0.8 * basket_of(dense)), own=0.05
    )
    bordered = np.block([[dense.A, homes.spending[:, None]], [income[None, :], np.array([[0.05]])]])
    closed = np.linalg.inv(np.eye(n + 1) - bordered)
    found = multipliers(Dense(table).inverse(), households=homes).columns
    p = prices_of(dense)
    assert_encloses(found["output closed"], p @ closed[:n, :n] / p)
    assert_encloses(found["income closed"], closed[n, :n])
    assert_encloses(found["income type II"], closed[n, :n] / income)
    assert_encloses(found["CO2 closed"], dense.table.factors["CO2"] @ closed[:n, :n])


def test_the_two_sectors_of_miller_and_blair_have_their_multipliers():
    """Ch. 2.3, 2.5, 6.2: L, and L closed by households who spend (.05, .40) and .05 on labour."""
    dense = Dense(two_sectors_of_miller_and_blair())
    homes = Households("income", np.array([0.30, 0.25]), np.array([0.05, 0.40]), own=0.05)
    found = multipliers(dense.inverse(), households=homes).columns
    assert found["output"].middle.round(3).tolist() == [1.518, 1.452]
    assert found["output closed"].middle.round(3).tolist() == [1.892, 1.773]
    assert found["income"].middle.round(4).tolist() == [0.4422, 0.3795]
    assert found["income closed"].middle.round(4).tolist() == [0.5698, 0.4890]
    assert columns_of(dense.inverse(), [0]).columns["agriculture"].middle.round(4).tolist() == [
        1.2541,
        0.2640,
    ]


def test_households_that_spend_more_than_they_earn_are_refused():
    dense = Dense(two_sectors_of_miller_and_blair())
    homes = Households("income", np.array([0.30, 0.25]), np.array([2.0, 2.0]))
    with pytest.raises(NotProductiveError, match="closed by households"):
        multipliers(dense.inverse(), households=homes)


def test_households_cannot_buy_less_than_nothing():
    with pytest.raises(InvalidInputError, match="spending of households is negative"):
        Households("income", np.ones(2), np.array([1.0, -1.0]))


def test_products_in_different_units_without_prices_do_not_add_up():
    table = replace(drawn("physical"), price=None)
    with pytest.raises(WrongUsageError, match="different units"):
        multipliers(Dense(table).inverse())


# ---- rows and columns, linkages, extraction -----------------------------------------------------


def test_rows_and_columns_are_those_of_the_dense_inverse(dense):
    columns = columns_of(dense.inverse(), [3, 0, 11]).columns
    rows = rows_of(dense.inverse(), [3, 0, 11]).columns
    for product in (3, 0, 11):
        assert_encloses(columns[f"p{product}"], dense.L[:, product])
        assert_encloses(rows[f"p{product}"], dense.L[product])


def test_linkages_are_sums_of_the_dense_inverses(dense):
    found, p, x = linkages(dense.inverse()).columns, prices_of(dense), dense.x
    backward, forward = p @ dense.L / p, dense.L @ x / x
    assert_encloses(found["backward"], backward)
    assert_encloses(found["forward supply"], forward)
    assert_encloses(found["forward demand"], dense.L @ (1 / p) * p)
    assert_encloses(found["direct backward"], p @ dense.A / p)
    assert_encloses(found["direct forward"], dense.A @ x / x)
    assert_encloses(found["backward index"], backward / backward.mean())
    key = (backward > backward.mean()) & (forward > forward.mean())
    assert (found["quadrant"] == "key").tolist() == key.tolist()


def test_extraction_is_what_a_solve_without_the_product_says(dense):
    found = extraction(dense.inverse(), range(len(dense.f)), ["labour"]).columns
    p, lost = prices_of(dense), {"complete": [], "backward": [], "forward": [], "labour lost": []}
    for k in range(len(dense.f)):
        f, both = dense.f.copy(), dense.A.copy()
        f[k], both[k, :], both[:, k] = 0, 0, 0
        buys, sells = dense.A.copy(), dense.A.copy()
        buys[:, k], sells[k, :] = 0, 0
        moved = dense.x - np.linalg.solve(np.eye(len(f)) - both, f)
        lost["complete"].append(p @ moved)
        lost["labour lost"].append(dense.table.factors["labour"] @ moved)
        for name, A in (("backward", buys), ("forward", sells)):
            lost[name].append(p @ (dense.x - np.linalg.solve(np.eye(len(f)) - A, dense.f)))
    for name, truth in lost.items():
        assert_encloses(found[name], truth)


def test_extraction_of_a_group_is_a_solve_without_it(dense):
    labels = np.arange(len(dense.f)) % 3
    found = extraction_of_groups(dense.inverse(), labels, ["CO2"]).columns
    for group in range(3):
        stays = np.flatnonzero(labels != group)
        rest = np.zeros(len(dense.f))
        rest[stays] = np.linalg.solve(
            np.eye(len(stays)) - dense.A[np.ix_(stays, stays)], dense.f[stays]
        )
        assert_encloses(found["complete"][group], prices_of(dense) @ (dense.x - rest))
        assert_encloses(found["CO2 lost"][group], dense.table.factors["CO2"] @ (dense.x - rest))


def test_extracting_every_group_of_one_product_is_extracting_every_product(dense):
    alone = extraction(dense.inverse(), range(len(dense.f))).columns["complete"]
    groups = extraction_of_groups(dense.inverse(), np.arange(len(dense.f))).columns["complete"]
    assert_encloses(groups, alone.middle)


# ---- footprints, Ghosh, prices ------------------------------------------------------------------


def test_footprints_of_producers_and_consumers_have_the_same_total(dense):
    found = footprints(dense.inverse())
    for name, used in dense.table.factors.items():
        assert_encloses(found.columns[f"{name} producer"], used * dense.x)
        assert_encloses(found.columns[f"{name} consumer"], used @ dense.L * dense.f)
        one, other = (found.totals[f"{name} {side}"] for side in ("producer", "consumer"))
        assert one.lower <= other.upper
        assert other.lower <= one.upper


def test_footprints_are_traced_from_producing_groups_to_columns_of_demand(dense):
    labels = np.array(["north", "south"])[np.arange(len(dense.f)) % 2]
    used = dense.table.factors["CO2"]
    found = traced(dense.inverse(), "CO2", demand_by(dense.f, labels), labels)
    for region in ("north", "south"):
        made = used * (dense.L @ np.where(labels == region, dense.f, 0))
        truth = [made[labels == group].sum() for group in ("north", "south")]
        assert_encloses(found.columns[region], truth)
        assert_encloses(found.totals[region], made.sum())


def test_a_table_without_factors_has_no_footprints():
    table = replace(drawn("plain"), factors={})
    with pytest.raises(WrongUsageError, match="no factor to follow"):
        footprints(Dense(table).inverse())


def test_ghosh_is_the_inverse_of_the_shares_of_sales(dense):
    p, x = prices_of(dense), dense.x
    worth = p * x
    B = (p[:, None] * dense.A * x) / worth[:, None]
    G = np.linalg.inv(np.eye(len(x)) - B)
    change = np.linspace(-1, 2, len(x))
    found = ghosh(dense.inverse(), change).columns
    assert_encloses(found["supply multiplier"], G.sum(axis=1))
    assert_encloses(found["change"], change @ G)
    # Supply and demand describe the same year: output is what primary inputs bring about.
    assert_encloses(found["output"], worth)
    assert_encloses(found["primary input"], worth @ np.linalg.inv(G))


def test_flows_have_no_shares_of_a_negative_output():
    table = drawn("plain")
    wanted = table.demand.copy()
    wanted[4] = -100.0
    with pytest.raises(InvalidInputError, match="the output is negative"):
        ghosh(Dense(replace(table, demand=wanted)).inverse())


def test_a_dearer_factor_makes_prices_dearer_by_what_they_embody(dense):
    found = factor_price(dense.inverse(), "labour", 0.1)
    moved = 0.1 * dense.table.factors["labour"] @ dense.L
    assert_encloses(found.columns["change"], moved)
    cost = (moved @ dense.f) / (prices_of(dense) @ dense.f)
    assert_encloses(found.totals["final demand"], cost)


def test_a_dearer_product_passes_its_price_on_and_keeps_it(dense):
    p, k = prices_of(dense), 7
    found = product_price(dense.inverse(), k, 0.25).columns
    others = np.delete(np.arange(len(p)), k)
    rest = np.eye(len(p) - 1) - dense.A[np.ix_(others, others)].T
    moved = np.zeros(len(p))
    moved[k] = 0.25 * p[k]
    moved[others] = np.linalg.solve(rest, dense.A[k, others] * moved[k])
    assert_encloses(found["change"], moved)
    assert_encloses(found["relative"], moved / p)


# ---- values and prices of production ------------------------------------------------------------


def test_ochoas_example_has_its_published_rate_of_profit_and_values():
    """As printed in the README of the R package clptheory, Ochoa (1984), pp. 46-57."""
    table = three_sectors()
    homes = Households.of(Dense(table).inverse().header, "labour", table.demand)
    found = production_prices(Dense(table).inverse(10), homes)
    assert round(float(found.totals["rate of profit"].middle), 7) == 0.3877843
    assert found.columns["value"].middle.round(6).tolist() == [0.439842, 7.739431, 0.897954]


def test_ochoas_example_has_its_published_prices_at_a_given_rate():
    """The same README, "New Interpretation": p at r = .2116339 and a wage of 3.7656."""
    table = three_sectors()
    homes = Households.of(Dense(table).inverse().header, "labour", table.demand)
    wage = float(np.array([4, 60, 7]) @ table.demand)
    prices = Wages(Dense(table).inverse(10), homes).prices(0.2116339, 0.2116339)
    assert np.allclose(prices.middle * wage, [2.621517, 45.47507, 4.703682], rtol=2e-7)


def half_paid(dense):
    """Households whose basket embodies half of the labour that it pays."""
    basket, labour = basket_of(dense), dense.table.factors["labour"]
    return Households("labour", labour, 0.5 * basket / (labour @ dense.L @ basket))


@pytest.mark.parametrize("advanced", [True, False])
def test_every_line_earns_the_same_profit_at_prices_of_production(dense, advanced):
    homes = half_paid(dense)
    found = production_prices(dense.inverse(10), homes, advanced=advanced)
    rate, p = found.totals["rate of profit"], found.columns["price"].middle
    inputs = p @ dense.A
    cost = inputs + homes.income if advanced else inputs
    paid = 0 if advanced else homes.income
    assert np.allclose((1 + float(rate.middle)) * cost + paid, p, rtol=1e-8)
    assert_encloses(found.columns["price"].weighted(homes.spending), 1.0)
    assert float(rate.upper - rate.lower) < 1e-10


def test_the_rate_of_profit_is_that_of_the_perron_root():
    dense = Dense(drawn("blocks"))
    homes = half_paid(dense)
    augmented = dense.A + np.outer(homes.spending, homes.income)
    truth = 1 / np.abs(np.linalg.eigvals(augmented)).max() - 1
    found = production_prices(dense.inverse(8), homes).totals["rate of profit"]
    assert found.lower <= truth + 1e-12
    assert truth - 1e-12 <= found.upper


def test_a_wage_that_embodies_more_than_its_labour_leaves_no_profit():
    table = three_sectors()
    homes = Households.of(Dense(table).inverse().header, "labour", 4 * table.demand)
    with pytest.raises(WrongUsageError, match="no profit is made"):
        production_prices(Dense(table).inverse(), homes)


# ---- paths, decomposition, upstreamness ---------------------------------------------------------


def all_chains(dense, used, wanted, longest):
    """Every chain up to a length, with what it contributes: without any pruning."""
    chains = [((k,), wanted[k]) for k in range(len(wanted)) if wanted[k]]
    found = []
    for _ in range(longest + 1):
        found += [(used[chain[-1]] * amount, chain) for chain, amount in chains]
        chains = [
            ((*chain, i), amount * dense.A[i, chain[-1]])
            for chain, amount in chains
            for i in np.flatnonzero(dense.A[:, chain[-1]])
            if abs(amount * dense.A[i, chain[-1]]) > 1e-4
        ]
    return sorted(found, key=lambda one: -abs(one[0]))


def test_the_largest_paths_are_found_and_what_is_left_makes_up_the_whole(dense):
    used, wanted = dense.table.factors["CO2"], np.eye(len(dense.f))[9]
    found = paths(dense.inverse(), "CO2", wanted, 12)
    truth = all_chains(dense, used, wanted, 6)[:12]
    assert_encloses(found.columns["contribution"], [size for size, _ in truth])
    assert found.ids.tolist() == [" < ".join(f"p{k}" for k in chain) for _, chain in truth]
    assert_encloses(found.totals["whole"], used @ dense.L @ wanted)
    together = found.totals["listed"].plus(found.totals["rest"])
    assert together.lower <= found.totals["whole"].upper
    assert found.totals["whole"].lower <= together.upper
    assert "provably the largest" in found.notes[0]


def test_more_paths_cover_more(dense):
    few, many = (
        paths(dense.inverse(), "labour", dense.f, count).totals["coverage"] for count in (5, 500)
    )
    assert few.upper < many.lower <= 1.0


def test_parts_of_a_decomposition_are_the_mean_of_both_polar_forms(dense):
    draw = np.random.default_rng([31337, 5])
    A = dense.A * draw.uniform(0.8, 1.1, dense.A.shape)
    later = Dense(
        replace(
            dense.table,
            coefficients=coefficients_from(A),
            demand=dense.f * draw.uniform(0.7, 1.5, len(dense.f)),
            factors={name: 0.9 * one for name, one in dense.table.factors.items()},
        )
    )
    found = decomposition(dense.inverse(), later.inverse(), "labour")
    l0, l1 = dense.table.factors["labour"], later.table.factors["labour"]
    (L0, f0), (L1, f1) = (dense.L, dense.f), (later.L, later.f)
    polar = [
        ((l1 - l0) * (L1 @ f1), l0 * ((L1 - L0) @ f1), l0 * (L0 @ (f1 - f0))),
        ((l1 - l0) * (L0 @ f0), l1 * ((L1 - L0) @ f0), l1 * (L1 @ (f1 - f0))),
    ]
    for name, one, other in zip(("direct", "recipes", "demand"), *polar, strict=True):
        assert_encloses(found.columns[name], (one + other) / 2)
    assert_encloses(found.columns["change"], l1 * (L1 @ f1) - l0 * (L0 @ f0))
    plain = decomposition(dense.inverse(), later.inverse()).columns
    assert_encloses(plain["recipes"], (L1 - L0) @ (f0 + f1) / 2)
    assert_encloses(plain["demand"], (L0 + L1) @ (f1 - f0) / 2)


def test_two_years_of_other_products_are_not_compared():
    one = drawn("plain")
    other = replace(one, ids=one.ids[::-1].copy())
    with pytest.raises(WrongUsageError, match="other products"):
        decomposition(Dense(one).inverse(), Dense(other).inverse())


def test_upstreamness_is_that_of_antras_and_others(dense):
    found, x, p = stages(dense.inverse()).columns, dense.x, prices_of(dense)
    B = dense.A * x / x[:, None]
    assert_encloses(found["upstreamness"], np.linalg.solve(np.eye(len(x)) - B, np.ones(len(x))))
    assert_encloses(found["downstreamness"], p @ dense.L / p)


def test_an_unproductive_economy_is_refused_with_its_products():
    table = replace(drawn("plain"), coefficients=coefficients_from(np.full((40, 40), 0.05)))
    with pytest.raises(NotProductiveError, match="not productive: of p"):
        multipliers(Dense(table).inverse())
