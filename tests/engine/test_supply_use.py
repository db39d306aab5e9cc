"""Supply and use to one table: dense formulas, textbooks, published pairs, and identities."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_array, diags_array, eye_array

from ogas.datasets import us_2021
from ogas.datasets.catalog import locate
from ogas.datasets.form_supply_use import read_accounts
from ogas.datasets.store import open_store
from ogas.engine import square_supply
from ogas.engine.errors import DoesNotFitError, InvalidInputError, WrongUsageError
from ogas.engine.supply_use import SupplyUse
from ogas.engine.symmetric import MODELS, largest_negatives

SQUARE_ONLY = ("product-technology", "fixed-industry-sales")
BY_PRODUCT = ("product-technology", "industry-technology")
SWEDEN = [f"sweden_{year}" for year in range(2008, 2014)]
FACTORS = ("emp", "wage", "dep", "co2")


def accounts(use, supply, **inputs):
    """Supply and use from rows of products; labelled p0, p1 ... and i0, i1 ..."""
    use, supply = np.array(use, float), np.array(supply, float)
    products = np.array([f"p{k}" for k in range(supply.shape[0])])
    industries = np.array([f"i{k}" for k in range(supply.shape[1])])
    inputs = {name: np.array(amounts, float) for name, amounts in inputs.items()}
    return SupplyUse(csr_array(supply), csr_array(use), products, industries, inputs)


def dense(model, tables):
    """The textbook formulas, with dense inverses: A, output, demand and one row of inputs each."""
    U, S = tables.use.toarray(), tables.supply.toarray()
    q, g = S.sum(axis=1), S.sum(axis=0)
    w = np.array(list(tables.inputs.values())).reshape(-1, len(g))
    y = q - U.sum(axis=1)
    if model == "product-technology":
        T = np.linalg.inv(S) @ np.diag(q)
        return U @ T @ np.diag(1 / q), q, y, w @ T @ np.diag(1 / q)
    if model == "industry-technology":
        T = np.diag(1 / g) @ S.T
        return U @ T @ np.diag(1 / q), q, y, w @ T @ np.diag(1 / q)
    T = np.diag(g) @ np.linalg.inv(S) if model == "fixed-industry-sales" else S.T @ np.diag(1 / q)
    return T @ U @ np.diag(1 / g), g, T @ y, w @ np.diag(1 / g)


@st.composite
def economies(draw, square=True):
    """A pair in which every industry mostly makes its own product, and value added is the rest."""
    p = draw(st.integers(1, 7))
    i = p if square else draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    supply = rng.random((p, i)) * (rng.random((p, i)) < 0.4) * 0.3
    supply[np.arange(max(p, i)) % p, np.arange(max(p, i)) % i] += rng.lognormal(0, 1, max(p, i)) + 1
    supply *= 10.0 ** rng.uniform(-3, 3, i)
    use = rng.random((p, i)) * (rng.random((p, i)) < 0.7) * supply.sum(axis=0) / p
    labour, added = rng.random(i), supply.sum(axis=0) - use.sum(axis=0)
    order = rng.permutation(i)  # industries stand in no particular order
    return accounts(use[:, order], supply[:, order], labour=labour[order], value_added=added[order])


def close(found, expected, figures=1e-9):
    scale = np.abs(expected).max(initial=0.0)
    assert np.abs(found - expected).max(initial=0.0) <= figures * max(scale, 1e-300)


@pytest.mark.parametrize("model", MODELS)
@given(tables=economies())
def test_every_model_is_the_dense_formula(model, tables):
    table = MODELS[model](tables)
    A, x, f, w = dense(model, tables)
    close(table.coefficients.toarray(), A)
    close(table.output, x, 1e-15)
    close(table.demand, f)
    close(np.array(list(table.factors.values())), w)


@pytest.mark.parametrize("model", ["industry-technology", "fixed-product-sales"])
@given(tables=economies(square=False))
def test_rectangular_tables_do_where_nothing_is_inverted(model, tables):
    table = MODELS[model](tables)
    A, x, f, w = dense(model, tables)
    close(table.coefficients.toarray(), A)
    close(table.demand, f)
    close(np.array(list(table.factors.values())), w)
    assert len(table) == len(x)
    assert (table.coefficients.data >= 0).all()


@pytest.mark.parametrize("model", MODELS)
@given(tables=economies())
def test_rows_and_columns_balance_and_value_added_stays(model, tables):
    table = MODELS[model](tables)
    A, x = table.coefficients, table.output
    close(A @ x + table.demand, x, 1e-11)
    close(np.asarray(A.sum(axis=0)) + table.factors["value_added"], np.ones(len(x)), 1e-9)
    for name, amounts in tables.inputs.items():
        close(table.factors[name] @ x, amounts.sum(), 1e-11)
    close(table.demand.sum(), tables.inputs["value_added"].sum(), 1e-9)
    assert len(table) == len(tables.products if model in BY_PRODUCT else tables.industries)


@pytest.mark.parametrize("model", MODELS)
def test_miller_and_blair_chapter_5(model):
    """U = [[12, 8], [10, 7]], V = [[90, 0], [10, 100]]: worked in fractions from the definitions.

    B = U ĝ⁻¹ = [[12/90, 8/110], [10/90, 7/110]], C = [[1, 10/110], [0, 100/110]], D = [[.9, 0],
    [.1, 1]]; C⁻¹ = [[1, -1/10], [0, 11/10]]. A = B C⁻¹, B D, C⁻¹ B and D B.
    """
    F = Fraction
    B = np.array([[F(12, 90), F(8, 110)], [F(10, 90), F(7, 110)]])
    D = np.array([[F(9, 10), F(0)], [F(1, 10), F(1)]])
    inverse = np.array([[F(1), F(-1, 10)], [F(0), F(11, 10)]])
    expected = dict(zip(MODELS, (B @ inverse, B @ D, inverse @ B, D @ B), strict=True))
    tables = accounts([[12, 8], [10, 7]], [[90, 10], [0, 100]], value_added=[68, 95])
    table = MODELS[model](tables)
    close(table.coefficients.toarray(), expected[model].astype(float), 1e-15)
    assert table.output.tolist() == ([100, 100] if model in BY_PRODUCT else [90, 110])
    if model in BY_PRODUCT:
        assert table.demand.tolist() == [80, 83]


def published(file):
    """A published symmetric table: its coefficients, dense, and its other arrays."""
    with np.load(file) as archive:
        found = dict(archive)
    parts = found["A_data"], found["A_indices"], found["A_indptr"]
    return csr_array(parts, shape=tuple(found["A_shape"])).toarray(), found


@pytest.mark.parametrize("pair", SWEDEN)
def test_the_swedish_tables_come_out_as_published(data_folder, pair):
    tables = read_accounts(data_folder / f"{pair}_sut.npz").tables
    table = MODELS["industry-technology"](tables)
    A, found = published(data_folder / f"{pair}_pxp.npz")
    close(table.coefficients.toarray(), A)
    close(table.output, found["x"])
    close(table.demand, found["f"])
    same = {"hours10k": "l", "imports": "imp"} | {name: name for name in FACTORS}
    for ours, theirs in same.items():
        close(table.factors[ours], found[theirs])


@pytest.mark.parametrize("year", [2012, 2017])
def test_the_american_tables_come_out_as_published(data_folder, year):
    """Without scrap, used goods, noncomparable imports and the rest of the world adjustment."""
    tables = read_accounts(data_folder / f"bea{year}_detail_sut_before.npz").tables
    table = MODELS["industry-technology"](tables)
    A, found = published(data_folder / f"bea{year}_detail_hours_before.npz")
    place = {name: k for k, name in enumerate(table.ids.tolist())}
    kept = np.array([place[label.split()[0]] for label in found["labels"].tolist()])
    assert len(table) == len(kept) + 4
    close(table.coefficients.toarray()[np.ix_(kept, kept)], A)
    close(table.output[kept], found["x"])
    close(table.factors["V00100"][kept], found["wage"])  # compensation of employees
    close(sum(table.factors.values())[kept], found["va"])


def test_the_bundled_table_comes_out_of_its_rectangular_sources():
    """73 products by 71 industries; but for industry outputs, which are published rounded."""
    labels, use = us_2021._numbers(us_2021.SOURCES / "use_71.csv")
    _, supply = us_2021._numbers(us_2021.SOURCES / "make_71.csv")
    supply, labour = csr_array(supply[:73]), use[labels.index(us_2021.COMPENSATION)]
    rounding = np.abs(supply.sum(axis=0) / use[labels.index(us_2021.OUTPUT)] - 1).max()
    tables = SupplyUse(
        supply, csr_array(use[:73]), np.array(labels[:73]), np.arange(71), {"labour": labour}
    )
    table, bundled = MODELS["industry-technology"](tables), open_store(locate("us-2021")).load()
    assert rounding < 2e-5
    A = bundled.coefficients.toarray()
    close(table.coefficients.toarray()[:71, :71], A, rounding)
    assert np.array_equal(table.output[:71], bundled.output)
    close(table.factors["labour"][:71], bundled.factors["labour"], rounding)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("pair", SWEDEN[:1])
def test_published_pairs_balance_by_every_model(data_folder, pair, model):
    tables = read_accounts(data_folder / f"{pair}_sut.npz").tables
    table = MODELS[model](tables)
    close(table.coefficients @ table.output + table.demand, table.output, 1e-13)
    for name, amounts in tables.inputs.items():
        close(table.factors[name] @ table.output, amounts.sum(), 1e-12)
    if model == "product-technology":  # the recipes of what it makes are what an industry uses
        close(table.coefficients @ tables.supply.toarray(), tables.use.toarray(), 1e-13)


def test_without_by_products_all_models_are_one():
    rng = np.random.default_rng(20261122)
    use = rng.random((5, 5))
    tables = accounts(use, np.diag(use.sum(axis=0) + rng.random(5)), labour=rng.random(5))
    found = [MODELS[model](tables) for model in MODELS]
    for table in found[1:]:
        close(table.coefficients.toarray(), found[0].coefficients.toarray(), 1e-14)
        close(table.demand, found[0].demand, 1e-14)
        close(table.factors["labour"], found[0].factors["labour"], 1e-14)


@pytest.mark.parametrize("model", SQUARE_ONLY)
def test_the_order_of_industries_does_not_matter(model):
    tables = accounts([[12, 8], [10, 7]], [[90, 10], [0, 100]])
    turned = SupplyUse(
        csr_array(tables.supply.toarray()[:, ::-1]),
        csr_array(tables.use.toarray()[:, ::-1]),
        tables.products,
        tables.industries[::-1].copy(),
    )
    one, other = MODELS[model](tables), MODELS[model](turned)
    back = slice(None) if model == "product-technology" else slice(None, None, -1)
    close(other.coefficients.toarray()[back, back], one.coefficients.toarray(), 1e-14)


def test_negative_coefficients_are_kept_counted_and_named():
    tables = accounts([[0, 40, 0], [5, 0, 1], [0, 0, 9]], [[50, 30, 0], [0, 100, 0], [0, 1, 99]])
    table = MODELS["product-technology"](tables)
    A, x, _, _ = dense("product-technology", tables)
    negative = np.argwhere(A * x < -1e-12)
    count, named = largest_negatives(table, 1)
    assert count == len(negative) == 2
    ((supplier, user, flow),) = named
    assert (supplier, user) == ("p1", "p1")
    assert flow == pytest.approx((A * x).min())
    assert len(largest_negatives(table)[1]) == 2


def test_what_no_industry_makes_is_imported():
    tables = accounts([[1, 2], [3, 4], [5, 6]], [[10, 0], [0, 20], [0, 0]], value_added=[1, 8])
    by_product = MODELS["industry-technology"](tables)
    assert by_product.output.tolist() == [10, 20, 0]
    assert by_product.demand[2] == -11
    assert by_product.coefficients.toarray()[:, 2].tolist() == [0, 0, 0]
    by_industry = MODELS["fixed-product-sales"](tables)
    assert by_industry.factors["imports"] @ by_industry.output == pytest.approx(11)
    columns = by_industry.coefficients.sum(axis=0) + sum(by_industry.factors.values())
    close(columns, np.ones(2), 1e-14)


@pytest.mark.parametrize("model", SQUARE_ONLY)
def test_models_that_invert_want_as_many_industries_as_products(model):
    with pytest.raises(WrongUsageError, match=r"3 products and 2 industries.*industry-technology"):
        MODELS[model](accounts([[1, 2], [3, 4], [5, 6]], [[10, 0], [0, 20], [0, 5]]))


@pytest.mark.parametrize("model", SQUARE_ONLY)
@pytest.mark.parametrize(
    ("supply", "pattern"),
    [
        (
            [[4, 8, 0], [1, 2, 0], [0, 0, 9]],
            "singular: the industries i0, i1 make the products p0, p1",
        ),
        ([[4, 8, 0], [1, 2 + 1e-13, 0], [0, 0, 9]], "nearly singular: the industries i0, i1 make"),
        ([[0, 0, 0], [1, 2, 0], [0, 1, 9]], "no industry makes the product p0"),
        ([[1, 2, 0], [3, 1, 0], [1, 1, 0]], "nothing is made by the industry i2"),
        ([[1, 2, 3], [0, 0, 4], [0, 0, 5]], "left for the product p[12], no product for the"),
    ],
)
def test_a_singular_supply_is_refused_with_its_products_and_industries(model, supply, pattern):
    use = np.zeros((3, 3))
    with pytest.raises(InvalidInputError, match=pattern) as refusal:
        MODELS[model](accounts(use, supply))
    assert "choose a model without an inverse" in str(refusal.value)


@given(tables=economies(), places=st.permutations(range(7)), times=st.floats(0.1, 10))
def test_industries_that_make_the_same_are_named(tables, places, times):
    n = len(tables.products)
    assume(n > 1)
    one, other = [place for place in places if place < n][:2]
    supply = tables.supply.toarray()
    supply[:, one] += supply[:, other] + 1  # all can be matched
    supply[:, other] = times * supply[:, one]
    alike = SupplyUse(csr_array(supply), tables.use, tables.products, tables.industries)
    with pytest.raises(InvalidInputError, match="singular") as refusal:
        MODELS["product-technology"](alike)
    named = re.search("the industries (.*) make the product", str(refusal.value)).group(1)
    assert named == ", ".join(f"i{place}" for place in sorted((one, other)))


def test_an_ill_scaled_but_regular_supply_is_not_refused():
    scale = 10.0 ** np.arange(-6, 7, 3)
    supply = (np.eye(5) + 0.2 * np.eye(5, k=1)) * scale
    table = MODELS["product-technology"](accounts(np.diag(scale) / 3, supply))
    close(table.coefficients.toarray(), np.diag(scale) / 3 @ np.linalg.inv(supply), 1e-12)


def test_large_tables_stay_sparse():
    n = 3000
    supply = diags_array(np.arange(1.0, n + 1)) + 0.3 * eye_array(n, k=700)
    use = csr_array(0.2 * eye_array(n, k=-1) + 0.1 * eye_array(n, k=5))
    labels = np.arange(n)
    table = MODELS["product-technology"](SupplyUse(csr_array(supply), use, labels, labels))
    assert table.nonzeros < 12 * n
    close(csr_array(table.coefficients @ supply).toarray(), use.toarray(), 1e-13)


@pytest.mark.parametrize(
    ("use", "supply", "options", "pattern"),
    [
        ([[1, np.nan]], [[1, 1]], {}, "product p0, industry i1: the use is nan"),
        ([[1, 1]], [[1, np.inf]], {}, "product p0, industry i1: the supply is inf"),
        ([[1, 1]], [[1, -3]], {}, r"product p0: its output.*negative \(-2\)"),
        ([[1, 1], [1, 1]], [[9, 1], [9, -2]], {}, r"industry i1: its output.*negative \(-1\)"),
        ([[1, 1]], [[1, 0]], {}, "industry i1: it takes inputs, but its output.* is 0"),
        ([[1, 0]], [[1, 0]], {"labour": [1, 1]}, "industry i1: it takes inputs"),
        ([[1, 0], [1, 0]], [[1, -1], [1, 2]], {}, "product p0: it is supplied, but"),
        ([[1, 1]], [[1, 1]], {"labour": [1]}, "input labour is not one finite number for every"),
        (
            [[1, 1, 1]],
            [[1, 1]],
            {},
            "use table is 1 × 3, but there are 1 products and 2 industries",
        ),
    ],
)
def test_impossible_accounts_are_refused_with_product_and_industry(use, supply, options, pattern):
    with pytest.raises(InvalidInputError, match=pattern):
        accounts(use, supply, **options)


def test_labels_must_be_unique():
    one = csr_array(np.ones((1, 2)))
    with pytest.raises(InvalidInputError, match="the industry a is there 2 times"):
        SupplyUse(one, one, np.array(["p"]), np.array(["a", "a"]))


@pytest.mark.parametrize("model", SQUARE_ONLY)
def test_a_result_that_does_not_fit_in_memory_is_refused_before_it_is_made(model, monkeypatch):
    n = 90
    ring = np.eye(n) + np.diag(np.full(n - 1, 0.1), 1)
    ring[-1, 0] = 0.1  # every product comes, in the end, from every industry
    names = np.arange(n)
    pair = SupplyUse(csr_array(ring), csr_array(0.1 * np.eye(n)), names, names)
    assert MODELS[model](pair).nonzeros == n * n
    monkeypatch.setattr(square_supply, "installed_bytes", lambda: 60 * n * n - 1)
    monkeypatch.setattr(square_supply, "hstack", None)  # nothing is put together
    with pytest.raises(DoesNotFitError, match=r"about 8,100 coefficients and take 486,000 bytes"):
        MODELS[model](pair)
