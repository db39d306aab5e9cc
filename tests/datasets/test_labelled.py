"""Classical results with labels: xarray in, xarray out; and of published tables."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from inverses import Dense, assert_encloses, drawn

from ogas.datasets.catalog import locate
from ogas.datasets.forms import read
from ogas.datasets.labelled import analysed, table_of
from ogas.datasets.store import open_store
from ogas.engine.analyses.extraction import extraction
from ogas.engine.analyses.linkages import linkages
from ogas.engine.analyses.menu import MENU, Asked
from ogas.engine.analyses.multipliers import multipliers
from ogas.engine.errors import InvalidInputError, WrongUsageError


def dataset(**changes):
    ids = ["a", "b"]
    variables = {
        "A": (("input", "product"), np.array([[0.15, 0.25], [0.20, 0.05]])),
        "demand": ("product", np.array([350.0, 1700.0])),
        "labour": ("product", np.array([0.3, 0.25])),
        "name": ("product", np.array(["agriculture", "manufacturing"])),
    }
    return xr.Dataset(variables, {"input": ids, "product": ids} | changes)


def test_a_labelled_economy_has_a_labelled_result():
    found = analysed(dataset(), "multipliers")
    assert found["output"].sel(product="b").round(3).item() == 1.452
    assert found["name"].values.tolist() == ["agriculture", "manufacturing"]
    assert (found["labour lower"] <= found["labour"]).all()
    assert (found["labour"] <= found["labour upper"]).all()
    assert found.attrs["equation"] == "b = A' b + p, v = A' v + l"


def test_results_carry_the_units_that_follow_from_those_of_the_table():
    economy = dataset()
    economy["labour"].attrs["units"] = "hours"
    economy["demand"].attrs["units"] = "$"
    found = analysed(economy, "footprints")
    assert found["labour"].attrs["units"] == "hours per $"
    assert found["labour consumer upper"].attrs["units"] == "hours"
    assert found["total labour producer"].attrs["units"] == "hours"
    assert analysed(economy, "ghosh")["primary input"].attrs["units"] == "$"
    assert analysed(economy, "multipliers")["labour type I"].attrs["units"] == ""
    earlier = Asked(other=Dense(table_of(economy)).inverse())
    assert analysed(economy, "decomposition", earlier)["recipes"].attrs["units"] == "$"


@pytest.mark.parametrize("what", ["extraction", "prices", "values", "paths", "upstreamness"])
def test_every_unit_belongs_to_a_number_of_the_result(what):
    asked = Asked(factors=["labour"], change=0.1)
    table = drawn("plain" if what == "values" else "physical")
    asked = replace(asked, basket=0.1 * table.demand / table.demand.sum())
    result = MENU[what][1](Dense(table).inverse(), asked)
    assert result.units
    assert set(result.units) <= {*result.columns, *result.totals}


def test_the_order_of_dimensions_does_not_matter():
    turned = dataset().transpose("product", "input")
    assert (table_of(turned).coefficients.toarray() == [[0.15, 0.25], [0.20, 0.05]]).all()


def test_inputs_in_another_order_than_products_are_refused():
    with pytest.raises(InvalidInputError, match="other labels"):
        table_of(dataset(input=["b", "a"]))


def test_a_dataset_without_coefficients_is_refused():
    with pytest.raises(InvalidInputError, match="no variable A"):
        table_of(dataset().drop_vars("A"))


def test_an_unknown_analysis_is_refused_with_those_there_are():
    with pytest.raises(WrongUsageError, match="there are: multipliers"):
        analysed(dataset(), "astrology")


def test_totals_have_no_dimension():
    found = analysed(drawn("plain"), "footprints", Asked(factors=["CO2"]))
    assert found["total CO2 producer"].ndim == 0
    assert set(found.dims) == {"product"}


# ---- published tables ---------------------------------------------------------------------------


def of_published(dense):
    """Compare with the dense inverse; where imports exceed uses, flows have no shares."""
    found = multipliers(dense.inverse()).columns
    assert_encloses(found["output"], dense.L.sum(axis=0))
    for name, used in dense.table.factors.items():
        assert_encloses(found[name], used @ dense.L)
    x = dense.table.output
    made = x > 0
    ours = linkages(dense.inverse()).columns
    assert_encloses(ours["forward supply"][made], (dense.L @ x)[made] / x[made])
    assert_encloses(ours["forward demand"], dense.L.sum(axis=1))
    some = [0, 3, len(x) // 2]
    lost = extraction(dense.inverse(), some).columns["complete"]
    assert_encloses(lost, (dense.L.sum(axis=0) * dense.x / np.diag(dense.L))[some])


def test_results_of_the_bundled_table_are_those_of_the_dense_inverse():
    of_published(Dense(open_store(locate("us-2021")).load()))


@pytest.mark.parametrize("name", ["wiod13_world_2005", "bea2012_detail_hours_after"])
def test_results_of_published_tables_are_those_of_the_dense_inverse(data_folder, name):
    of_published(Dense(read(data_folder / f"{name}.npz").table))
