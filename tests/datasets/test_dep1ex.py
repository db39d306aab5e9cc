"""Councils of a participatory economy: a small file made here, in the layout of pequod-cljs.

Six worker councils, two of which make private good 1; shares and demand are worked by hand.
"""

import gzip

import numpy as np
import pytest

from ogas.datasets.forms import read
from ogas.datasets.published import councils
from ogas.engine.errors import DamagedError, InvalidInputError, WrongUsageError


def worker(industry, product, goods, nature, labour, *, a=5.1, c=0.06, du=3.7):
    """A worker council; inputs of each kind by number."""
    lists = " ".join(f"[{' '.join(map(str, kind))}]" for kind in (goods, nature, labour))
    shares = [" ".join(map(str, kind.values())) for kind in (goods, nature, labour)]
    return f"""{{:effort 0.5,
  :labor-exponents [{shares[2]}],
  :industry {industry},
  :output 0,
  :s 1,
  :du {du},
  :c {c},
  :product {product},
  :labor-quantities [0],
  :production-inputs [{lists}],
  :input-exponents
  [{shares[0]}],
  :toothache false,
  :nature-exponents [{shares[1]}],
  :a {a}}}"""


def consumer(income, private, public):
    """A consumer council."""
    return f"""{{:effort 1,
  :num-workers 10,
  :utility-exponents
  [{private}],
  :final-demands [0 0 0 0 0],
  :cy 1,
  :public-good-exponents [{public}],
  :public-good-demands [0],
  :income {income}}}"""


CONSUMERS = [consumer(5000, "0.5\n   0.25", "0.25"), consumer(1000, "0.1 0.1", "0.3")]
RECIPES = [
    ({1: 0.1, 2: 0.2}, {1: 0.2}, {1: 0.3}),
    ({1: 0.3}, {2: 0.1}, {1: 0.1, 2: 0.2}),
    ({2: 0.4}, {1: 0.1}, {1: 0.2}),
    ({2: 0.2}, {1: 0.3}, {2: 0.1}),
    ({1: 0.5}, {2: 0.1}, {1: 0.1}),
    ({1: 0.25, 2: 0.25}, {}, {2: 0.4}),
]
MAKES = [(0, 1), (0, 1), (0, 2), (1, 1), (1, 2), (2, 1)]
WORKERS = [worker(*made, *recipe) for made, recipe in zip(MAKES, RECIPES, strict=True)]


def text_of(consumers, workers):
    lists = "\n ".join(consumers), "\n ".join(workers)
    return "(ns pequod-cljs.dep1ex01)\n\n(def ccs \n[{}]\n)\n\n(def wcs \n[{}]\n)\n".format(*lists)


TEXT = text_of(CONSUMERS, WORKERS)
# Exponents of council 6 add up to 1.1: with increasing returns there is no equilibrium.
INCREASING = TEXT.replace("[0.4],\n  :industry 2", "[0.6],\n  :industry 2")


def packed(folder, text=TEXT):
    file = folder / "dep1ex01.clj.gz"
    file.write_bytes(gzip.compress(text.encode()))
    return file


def test_without_an_equilibrium_coefficients_are_plain_means_of_exponents(tmp_path):
    found = read(packed(tmp_path, INCREASING))
    table = found.table
    assert table.ids.tolist() == [
        *("private 1", "private 2", "public 1", "intermediate 1", "intermediate 2")
    ]
    goods = np.zeros((5, 5))
    goods[3] = [(0.1 + 0.3) / 2, 0, 0.25, 0, 0.5]
    goods[4] = [(0.2 + 0) / 2, 0.4, 0.25, 0.2, 0]
    np.testing.assert_allclose(table.coefficients.toarray(), goods, rtol=1e-15)
    np.testing.assert_allclose(table.demand, [2500 + 200, 1250 + 200, 1250 + 600, 0, 0], rtol=1e-15)
    assert table.units == "money"
    assert found.messages[1].endswith(
        "each counted alike: no prices were found at which all markets clear"
    )


def test_kinds_of_labour_and_natural_resources_are_factors_and_so_are_their_sums(tmp_path):
    factors = read(packed(tmp_path, INCREASING)).table.factors
    assert list(factors) == ["labour", "nature", "labour 1", "labour 2", "nature 1", "nature 2"]
    np.testing.assert_allclose(factors["labour"], [0.3, 0.2, 0.6, 0.1, 0.1], rtol=1e-15)
    np.testing.assert_allclose(factors["labour 2"], [0.1, 0, 0.6, 0.1, 0], rtol=1e-15)
    np.testing.assert_allclose(factors["nature"], [0.15, 0.1, 0, 0.3, 0.1], rtol=1e-15)
    np.testing.assert_allclose(factors["nature 2"], [0.05, 0, 0, 0, 0.1], rtol=1e-15)
    assert list(read(packed(tmp_path), factors=["nature*"]).table.factors) == [
        *("nature", "nature 1", "nature 2")
    ]
    with pytest.raises(WrongUsageError, match="no factor 'CO2'"):
        read(packed(tmp_path), factors=["CO2"])


def test_makers_of_a_good_are_weighed_by_what_they_sell_where_markets_clear(tmp_path):
    # Each has labour of its own at .5 of revenue R, which costs p = .5 R / 1000. With c/k = .1 the
    # revenue is R^.4 = λ a p^-.5 ..., so R^.9 is in proportion to a: twice a^(1/.9).
    twice = dict(c=0.1, du=1.0, a=5 * 2**0.9), dict(c=0.1, du=1.0, a=5.0)
    workers = [
        worker(0, 1, {}, {}, {1: 0.5}, **twice[0]),
        worker(0, 1, {}, {}, {2: 0.5}, **twice[1]),
        worker(2, 1, {}, {}, {3: 0.5}, **twice[1]),
    ]
    found = read(packed(tmp_path, text_of([consumer(900, "2", "1")], workers)))
    np.testing.assert_allclose(found.table.factors["labour 1"], [0.5 * 2 / 3, 0], rtol=1e-8)
    np.testing.assert_allclose(found.table.factors["labour 2"], [0.5 * 1 / 3, 0], rtol=1e-8)
    assert found.table.nonzeros == 0
    assert found.messages == (
        "3 worker councils make 2 goods, and 1 consumer councils spend their incomes on them",
        "all in money: a coefficient is the mean exponent of the councils that make a good, "
        "weighed by their revenues where all markets clear; the endowments are those of the "
        "program, 1,000 of every natural resource and kind of labour",
        "returns to scale (exponents add up to 0.5 ... 0.5) are lost: for another demand, recipes "
        "and weights stay as they are",
    )


def test_a_good_that_nobody_wants_has_no_price_and_its_makers_count_alike(tmp_path):
    consumers = [consumer(5000, "0.5 0", "0.25")]
    found = read(packed(tmp_path, text_of(consumers, WORKERS)))
    assert "each counted alike" in found.messages[1]
    assert found.table.demand[1] == 0
    np.testing.assert_allclose(found.table.factors["labour 2"][0], (0 + 0.2) / 2, rtol=1e-15)


def test_the_plan_is_the_equilibrium_of_the_councils(tmp_path):
    # Prices of five goods must satisfy the six councils, whose best revenue follows from the plan.
    table = read(packed(tmp_path)).table
    output = np.linalg.solve(np.eye(5) - table.coefficients.toarray(), table.demand)
    first = table.coefficients.toarray()[4, 0] / 0.2
    revenue = output[[0, 0, 1, 3, 4, 2]] * [first, 1 - first, 1, 1, 1, 1]
    paid = {name: np.log(table.factors[name] @ output / 1000) for name in table.factors}
    rows, right = np.zeros((6, 5)), np.zeros(6)
    for k, (goods, nature, labour) in enumerate(RECIPES):
        shares = [*goods.values(), *nature.values(), *labour.values()]
        ease = 0.06 / 3.7
        rows[k, [0, 0, 1, 3, 4, 2][k]] = 1
        for good, share in goods.items():
            rows[k, 2 + good] -= share
        known = sum(b * paid[f"nature {i}"] for i, b in nature.items())
        known += sum(b * paid[f"labour {i}"] for i, b in labour.items())
        level = np.log(5.1) + ease * np.log(ease) + sum(b * np.log(b) for b in shares)
        right[k] = (1 - sum(shares) - ease) * np.log(revenue[k]) + known - level
    price, (miss,), *_ = np.linalg.lstsq(rows, right, rcond=None)
    assert np.sqrt(miss) < 1e-6
    assert 0.5 < first < 0.95
    assert read(packed(tmp_path)).levels["kind"].tolist() == [
        *["private"] * 2,
        "public",
        *["intermediate"] * 2,
    ]
    assert np.isfinite(price).all()


@pytest.mark.parametrize("chunk", [1, 7, 300, 1 << 20])
def test_the_pieces_in_which_the_text_is_read_do_not_matter(tmp_path, monkeypatch, chunk):
    plain = tmp_path / "dep1ex01.clj"
    plain.write_text(TEXT)
    whole = read(packed(tmp_path)).table
    monkeypatch.setattr(councils, "CHUNK", chunk)
    table = read(plain).table
    assert (table.coefficients != whole.coefficients).nnz == 0
    assert table.demand.tolist() == whole.demand.tolist()


def test_blanks_commas_and_comments_are_as_in_clojure(tmp_path):
    text = TEXT.replace("[0.5\n   0.25]", "[0.5,0.25 ]").replace("(def wcs", "; workers\n( def wcs")
    text = text.replace("[[1 2] [1] [1]]", "[ [1 2]\n[1] [1] ]")
    table, whole = read(packed(tmp_path, text)).table, read(packed(tmp_path)).table
    assert table.demand.tolist() == whole.demand.tolist()
    assert (table.coefficients != whole.coefficients).nnz == 0


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ("(def ccs", "(def people", r"there is no consumer council in it; it needs \(def ccs"),
        ("(def wcs", "(def teams", r"there is no worker council in it; it needs \(def wcs"),
        (TEXT, "version https://git-lfs", "after council 0: the text cannot be read from 'version"),
        (TEXT, "", "there is no consumer council in it"),
        (
            "0.3],\n  :industry 0",
            "0,3x],\n  :industry 0",
            "council 1, :labor-exponents: '3x' is no",
        ),
        ("[0.4],\n  :industry", "[NaN],\n  :industry", "worker council 6, :labor-exponents: 'NaN'"),
        (":income 1000", ":income 1_000", "consumer council 2, :income: '1_000' is not a finite"),
        (":income 1000", ":income -1", "consumer council 2: :income has -1, less than 0"),
        (":income 1000", ":wage 1000", "consumer council 2: it has no :income"),
        ("[0.1 0.1]", "[0.1]", "consumer council 2: :utility-exponents has 1 numbers, but 2 in"),
        (":a 5.1", ":a 0", "worker council 1: :a is 0"),
        (":du 3.7", ":dv 3.7", "worker council 1: it has no :du"),
        (":income 1000", "#_:income 1000", "after consumer council 1: the text cannot be read fr"),
        (":industry 2", ":industry 3", "worker council 6: :industry is 3, not 0, 1 or 2"),
        (":product 2,", ":product 0,", "worker council 3: :product has 0, but goods are numbered"),
        ("[[2] [1] [2]]", "[[1.5] [1] [2]]", "council 4: :production-inputs has 1.5, but goods"),
        ("[[2] [1] [2]]", "[[9] [1] [2]]", "council 4: it uses intermediate good 9, which no"),
        ("[[2] [1] [2]]", "[[2] [1] [2] [1]]", "council 4: :production-inputs has 4 lists of num"),
        ("[[2] [1] [2]]", "[[2] [1] [2 1]]", "council 4: :labor-exponents has 1 numbers, but th"),
        (":industry 2", ":industry 1", "public good 1: no worker council makes it"),
        (":product 2,", ":product 3,", "private good 2: no worker council makes it"),
        ("[0.25],\n  :public", "[],\n  :public", "consumer council 2: :public-good-exponents has"),
    ],
)
def test_what_is_wrong_is_refused_with_the_council(tmp_path, old, new, pattern):
    assert old in TEXT
    with pytest.raises(InvalidInputError, match=pattern) as refusal:
        read(packed(tmp_path, TEXT.replace(old, new, 1)))
    assert "dep1ex01.clj.gz" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_council_that_wants_nothing_is_refused(tmp_path):
    text = TEXT.replace(CONSUMERS[1], consumer(1000, "0 0", "0"))
    with pytest.raises(InvalidInputError, match="consumer council 2: all its exponents are 0"):
        read(packed(tmp_path, text))


def test_a_good_that_nobody_can_want_is_refused(tmp_path):
    text = TEXT.replace("(def wcs \n[", "(def wcs \n[" + worker(0, 3, {1: 0.1}, {}, {}))
    with pytest.raises(InvalidInputError, match="private good 3: consumer councils have exponents"):
        read(packed(tmp_path, text))


@pytest.mark.parametrize("left", [len(TEXT) - 3, len(TEXT) - 40, TEXT.index("(def wcs") + 4])
def test_a_text_that_stops_too_early_is_refused(tmp_path, left):
    with pytest.raises(InvalidInputError, match=r"the text (cannot be read|ends in the middle)"):
        read(packed(tmp_path, TEXT[:left]))


def test_a_file_that_is_cut_or_not_packed_is_damaged(tmp_path):
    file = packed(tmp_path)
    whole = file.read_bytes()
    for content in (whole[:-20], TEXT.encode(), whole[:50] + b"?" + whole[51:]):
        file.write_bytes(content)
        with pytest.raises(DamagedError, match="cannot be read; it is truncated"):
            read(file)
