"""The bundled table is the published one to the last bit, and balances."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import eye_array
from scipy.sparse.linalg import spsolve
from stored_tables import same

from ogas.datasets.catalog import bundled, locate
from ogas.datasets.store import open_store
from ogas.datasets.us_2021 import build
from ogas.engine.errors import WrongUsageError


def test_the_bundled_store_is_what_its_sources_say_to_the_last_bit():
    assert same(build(), open_store(locate("us-2021")).load())


def test_the_cost_of_what_is_made_is_the_cost_of_what_is_wanted():
    table = open_store(locate("us-2021")).load()
    labour = table.factors["labour"]
    value = spsolve((eye_array(71) - table.coefficients.T).tocsc(), labour)
    assert round(labour @ table.output) == 12_544_115
    assert value @ table.demand == pytest.approx(labour @ table.output, rel=1e-12)
    balance = table.demand + table.coefficients @ table.output - table.output
    assert np.abs(balance).max() <= 1e-15 * table.output.max()


def test_the_signs_are_those_that_the_page_states():
    table = open_store(locate("us-2021")).load()
    assert (table.demand < 0).sum() == 13
    oil = table.ids.tolist().index("Oil and gas extraction")
    assert round(table.demand[oil] / 1000) == -135
    assert (table.coefficients.data < 0).sum() == 1
    assert table.coefficients.data.min() == pytest.approx(-7e-7, rel=0.05)


@pytest.mark.skipif("OGAS_DATA" not in os.environ, reason="OGAS_DATA is not set")
def test_the_bundled_store_is_the_file_of_the_data_folder_to_the_last_bit():
    table = open_store(locate("us-2021")).load()
    with np.load(Path(os.environ["OGAS_DATA"], "us_2021_71_quantecon.npz")) as published:
        assert (table.coefficients.indptr == published["A_indptr"]).all()
        assert (table.coefficients.indices == published["A_indices"]).all()
        assert table.coefficients.data.tobytes() == published["A_data"].tobytes()
        assert table.demand.tobytes() == published["f"].tobytes()
        assert table.factors["labour"].tobytes() == published["l"].tobytes()
        assert table.output.tobytes() == published["x"].tobytes()
        assert (table.ids == published["labels"]).all()


def test_a_name_that_is_nowhere_is_answered_with_the_names_that_are():
    assert bundled() == ["us-2021"]
    with pytest.raises(WrongUsageError, match=r"us-2020: .* bundled table: us-2021"):
        locate("us-2020")


def test_a_path_wins_over_a_bundled_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "us-2021").mkdir()
    assert locate("us-2021") == Path("us-2021")
