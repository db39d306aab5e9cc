"""Systems in the layout of pymrio and EXIOBASE 3, in and out.

What EXIOBASE has is made here in its layout (`published_files`); what pymrio writes, and whether it
reads ours, is tried where pymrio is installed.
"""

import dataclasses
import json
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_files import (
    IDS,
    PRODUCTS,
    VALUE_ADDED,
    A,
    X,
    Y,
    Z,
    declared,
    exiobase,
    pymrio_rows,
    write_rows,
    zipped,
)
from scipy.sparse import random_array
from stored_tables import same, small_table, tables

from ogas.datasets.forms import read, write
from ogas.datasets.levels import level
from ogas.engine.errors import DamagedError, InvalidInputError, WrongUsageError
from ogas.engine.table import Table, coefficients_from

WORD = st.text(st.characters(categories=["L", "P", "S"]), max_size=5).map(lambda text: "ж" + text)
# Regions and sectors of tables of the world; a bar would be one too many.
WORLD = [f"{region}|{sector}" for region in ("AT", "ж") for sector in ('5" pipes', "a\tb")]

PRICES = "flows are at basic prices, as EXIOBASE has them"


def kept(table):
    """The table without what this layout has no place for."""
    lost = {"names": None, "price": None, "blocks": None, "rank": None, "value_type": "float64"}
    return dataclasses.replace(table, **lost)


def units(table):
    return np.broadcast_to(table.units, len(table)).tolist()


@pytest.mark.parametrize("name", ["folder", "t.zip"])
@settings(max_examples=25, deadline=None)
@given(table=tables(text=WORD))
def test_writing_then_reading_changes_no_bit(name, table, tmp_path_factory):
    target = tmp_path_factory.mktemp("form") / name
    write(table, target, format="pymrio")
    again = read(target, factors=["*"] if table.factors else ()).table
    assert units(again) == units(table)
    ours, theirs = (dataclasses.replace(kept(t), units="") for t in (table, again))
    assert same(ours, theirs)


def test_tables_of_the_world_keep_their_regions_and_sectors(tmp_path):
    table = dataclasses.replace(kept(small_table()), units="t")
    many = np.array([*WORLD, *(f"XX|{k}" for k in range(len(table) - len(WORLD)))])
    table = dataclasses.replace(table, ids=many)
    write(table, tmp_path / "t.zip")
    found = read(tmp_path / "t.zip")
    assert same(table, found.table)
    assert found.levels["region"].tolist() == [name.split("|")[0] for name in many]


def test_what_has_no_place_is_said(tmp_path):
    (message,) = write(small_table(), tmp_path / "t", format="pymrio")
    assert message.endswith("names, price, blocks")


def test_a_system_like_exiobase_is_read_from_folder_and_zip(tmp_path):
    folder = exiobase(tmp_path / "IOT_2022_pxp")
    for source in (folder, zipped(folder, tmp_path / "IOT.zip", within="IOT_2022_pxp/")):
        found = read(source)
        table = found.table
        assert table.ids.tolist() == IDS
        assert (table.coefficients.toarray() == A).all()
        assert table.demand.tolist() == Y.sum(axis=1).tolist()
        assert (table.output == X).all()
        assert table.units == "M.EUR"
        assert (table.factors["CO2"] == VALUE_ADDED / 7 / X).all()
        assert dict(table.factor_units) == {"CO2": "kg", "Hours": "kg"}
        assert table.meta == {
            "title": "EXIO3",
            "source": "made up",
            "system": "pxp",
            "version": "3.8",
        }
        assert level("country", table.ids, found.levels).tolist() == ["AUS", "AUS", "USA", "USA"]
        assert found.messages == (PRICES,)


def test_flows_are_divided_by_output_which_is_row_sum_plus_demand_where_x_is_missing(tmp_path):
    folder = exiobase(tmp_path / "t", coefficients=False)
    assert (read(folder).table.coefficients.toarray() == A).all()
    (folder / "file_parameters.json").unlink()
    (folder / "x.txt").unlink()
    table = read(folder).table
    assert (table.output == X).all()
    assert (table.factors["Hours"] == VALUE_ADDED * 3 / X).all()


def test_tables_whose_row_labels_have_no_names_are_read(tmp_path):
    """As in older releases, whose unit.txt has fewer labels than is declared, too."""
    folder = exiobase(tmp_path / "t")
    rows = (folder / "satellite" / "F.txt").read_text().splitlines(keepends=True)
    (folder / "satellite" / "F.txt").write_text("".join(rows[:2] + rows[3:]))
    text = declared("Extension", F=(2, 1), F_hh=(2, 1), unit=(1, 2))
    (folder / "satellite" / "file_parameters.json").write_text(text)
    table = read(folder).table
    assert (table.factors["Hours"] == VALUE_ADDED * 3 / X).all()
    assert dict(table.factor_units) == {"CO2": "kg", "Hours": "kg"}


def test_parquet_is_read(tmp_path):
    pandas = pytest.importorskip("pandas")
    folder = exiobase(tmp_path / "t", coefficients=False)
    for name, labels, headings in (("Z", 2, 2), ("Y", 2, 2), ("x", 2, 1), ("unit", 2, 1)):
        frame = pandas.read_csv(
            folder / f"{name}.txt",
            sep="\t",
            index_col=list(range(labels)),
            header=list(range(headings)) if headings > 1 else 0,
        )
        frame.to_parquet(folder / f"{name}.parquet")
        (folder / f"{name}.txt").unlink()
    text = (folder / "file_parameters.json").read_text()
    (folder / "file_parameters.json").write_text(text.replace(".txt", ".parquet"))
    table = read(folder).table
    assert (table.coefficients.toarray() == A).all()
    assert (table.output == X).all()
    assert table.units == "M.EUR"


def test_of_many_stressors_the_first_are_kept_or_those_that_are_named(tmp_path):
    many = {f"gas {k}": VALUE_ADDED * k for k in range(1, 60)}
    folder = exiobase(tmp_path / "t", stressors=many)
    found = read(folder)
    assert len(found.table.factors) == 40
    assert found.messages[-2].startswith("59 factors: the first 40 are kept; name others with")
    assert list(read(folder, factors=["gas 59", "gas 1?"]).table.factors) == [
        *(f"gas {k}" for k in range(10, 20)),
        "gas 59",
    ]
    assert list(read(folder, factors=["satellite/gas 7"]).table.factors) == ["gas 7"]
    with pytest.raises(WrongUsageError, match=r"no factor 'gaz 7'.*'gas 7'"):
        read(folder, factors=["gaz 7"])


def test_stressors_of_the_same_name_carry_their_extension(tmp_path):
    folder = exiobase(tmp_path / "t")
    exiobase(tmp_path / "u", stressors={"CO2": VALUE_ADDED})
    (tmp_path / "u" / "satellite").rename(folder / "impacts")
    found = read(folder).table.factors
    assert list(found) == ["CO2", "satellite/CO2", "Hours"]
    assert (found["CO2"] == VALUE_ADDED / X).all()
    assert (found["satellite/CO2"] == VALUE_ADDED / 7 / X).all()


def test_what_final_demand_uses_directly_and_several_units_are_remarked_on(tmp_path):
    folder = exiobase(tmp_path / "t")
    changed(
        folder / "satellite",
        "file_parameters.json",
        '"unit": {',
        '"F_Y": {"name": "F_Y.txt", "nr_index_col": "1", "nr_header": "2"}, "unit": {',
    )
    changed(folder, "unit.txt", "M.EUR", "TJ")
    found = read(folder)
    assert found.table.units.tolist() == ["TJ", *["M.EUR"] * 3]
    assert found.messages == (
        "products are in several units: M.EUR, TJ",
        "satellite: F_Y, what final demand uses directly, is no part of any product and left out",
        PRICES,
    )


def test_the_square_is_never_held(tmp_path):
    n = 1200
    table = Table(
        coefficients_from(random_array((n, n), density=0.002, rng=np.random.default_rng(8117))),
        np.arange(n),
        demand=np.ones(n),
    )
    write(table, tmp_path / "t.zip")
    tracemalloc.start()
    try:
        again = read(tmp_path / "t.zip").table
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert same(table, again)
    assert most < 8 * n * n / 3


@pytest.mark.skipif("OGAS_DATA" not in os.environ, reason="OGAS_DATA is not set")
@pytest.mark.parametrize("name", ["wiod13_world_1995", "uslci_fy21q3", "uk_1984_101"])
def test_real_tables_come_back_to_the_last_bit(name, tmp_path):
    table = read(Path(os.environ["OGAS_DATA"], f"{name}.npz")).table
    write(table, tmp_path / "t", format="pymrio")
    again = read(tmp_path / "t", format="pymrio", factors=["*"] if table.factors else ()).table
    assert units(again) == units(table)
    ours, theirs = (dataclasses.replace(kept(t), units="") for t in (table, again))
    assert same(ours, theirs)


def test_totals_without_any_output_are_left_out_and_told(tmp_path):
    folder = exiobase(tmp_path / "t")
    (folder / "file_parameters.json").unlink()
    (folder / "x.txt").unlink()
    found = read(folder)
    assert found.table.factors == {}
    assert "satellite left out: F holds totals" in found.messages[0]


def test_what_products_without_output_emit_is_left_out_and_told(tmp_path):
    folder = exiobase(tmp_path / "t")
    rows = (folder / "x.txt").read_text().splitlines()
    rows[1] = "AUS\tA01\t0"
    (folder / "x.txt").write_text("\n".join(rows) + "\n")
    found = read(folder)
    assert found.table.factors["CO2"][0] == 0
    assert any("CO2: 1 products without output use" in message for message in found.messages)
    assert any(
        "1 product has no output, kept and made of nothing: AUS|A01" in message
        for message in found.messages
    )


def test_an_output_that_does_not_fit_is_remarked_on(tmp_path):
    folder = exiobase(tmp_path / "t")
    text = (folder / "x.txt").read_text()
    (folder / "x.txt").write_text(text.replace(repr(X[3].item()), repr(2 * X[3].item())))
    assert "differ by more than 1% for" in " ".join(read(folder).messages)


# ---- What is wrong is named ---------------------------------------------------------------------


def changed(folder, name, old, new):
    """The folder with one text in a file replaced."""
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    return folder


@pytest.mark.parametrize(
    ("name", "old", "new", "pattern"),
    [
        (
            "A.txt",
            "USA\tC10",
            "USA\tC11",
            r"A\.txt, column 6, row 7: .*no row for 'USA C10', no column for 'USA C11'",
        ),
        ("A.txt", "USA\tC10", "USA\tA01", r"A\.txt, row 6 and row 7: 'USA A01' is there 2 times"),
        ("A.txt", repr(A[0, 0].item()), "1,234.5", r"row 4, column AUS A01: '1,234.5'.*thousands"),
        (
            "A.txt",
            repr(A[0, 0].item()),
            "0,25",
            "'0,25' is not a finite number; write decimals with",
        ),
        ("A.txt", repr(A[0, 0].item()), "1_000", "'1_000' is not a finite number"),
        ("A.txt", repr(A[0, 0].item()), "inf", "'inf' is not a finite number"),
        ("A.txt", repr(A[0, 0].item()) + "\t", "", "row 4: 5 cells, but the headings have 6"),
        ("A.txt", "sector\t\tA01\t", "sector\t\t", "row 2: its headings have 4 and 3 columns"),
        ("Y.txt", "AUS\tA01", "AUS\tA02", r"Y\.txt.*: .*no row for 'AUS A01'"),
        (
            "satellite/F.txt",
            "Hours",
            "CO2",
            r"satellite/F\.txt, row 4 and row 5: two stressors are called",
        ),
        (
            "satellite/F.txt",
            "sector\tA01",
            "sector\tA09",
            r"satellite/F\.txt, column 2: .*'AUS A01'",
        ),
        ("file_parameters.json", '"Y.txt"', '"Y.pkl"', r"Y\.pkl: it is a pickle, which runs code"),
        ("file_parameters.json", '"Y.txt"', '"Y.xls"', r"Y\.xls: nobody knows tables of the kind"),
        ("file_parameters.json", '"Y.txt"', '"V.txt"', r"V\.txt: this file is missing"),
        ("file_parameters.json", "nr_header", "headers", "does not say name, nr_header"),
        ("file_parameters.json", '"A"', '"B"', "neither A nor Z is there, only B, Y, x, unit"),
        ("file_parameters.json", "IOSystem", "Extension", "no input-output system in it"),
        ("metadata.json", "{", "[", r"metadata\.json: it is not JSON"),
    ],
)
def test_a_bad_system_is_refused_with_file_row_and_column(tmp_path, name, old, new, pattern):
    folder = changed(exiobase(tmp_path / "t"), name, old, new)
    with pytest.raises(InvalidInputError, match=pattern) as caught:
        read(folder, format="pymrio")
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_no_pickle_is_ever_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    folder = changed(exiobase(tmp_path / "t"), "file_parameters.json", '"A.txt"', '"A.pkl"')
    (folder / "A.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InvalidInputError, match="save_all"):
        read(folder)
    assert not (tmp_path / "exploded").exists()


def test_two_systems_in_one_zip_are_refused_with_their_names(tmp_path):
    exiobase(tmp_path / "t" / "2021")
    exiobase(tmp_path / "t" / "2022")
    file = zipped(tmp_path / "t", tmp_path / "t.zip")
    with pytest.raises(InvalidInputError, match="there are 2 systems in it: 2021, 2022"):
        read(file)


def test_a_damaged_zip_is_refused(tmp_path):
    file = zipped(exiobase(tmp_path / "t"), tmp_path / "t.zip")
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        start = archive.getinfo("A.txt").header_offset
    content[start + 60 : start + 90] = b"\xff" * 30
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=r"A\.txt"):
        read(file)


def test_a_transposed_system_is_refused(tmp_path):
    folder = exiobase(tmp_path / "t", coefficients=False)
    names = (("region", "sector"), ("region", "sector"))
    write_rows(folder / "Z.txt", pymrio_rows(PRODUCTS, PRODUCTS, Z.T, names), "\t")
    with pytest.raises(InvalidInputError, match="the wrong way round; transpose it"):
        read(folder)


def test_a_total_among_the_products_is_refused(tmp_path):
    folder = exiobase(tmp_path / "t", coefficients=False)
    products = [*PRODUCTS, ("ALL", "Total")]
    total = np.block([[Z, np.zeros((4, 1))], [Z.sum(axis=0), np.zeros(1)]])
    names = (("region", "sector"), ("region", "sector"))
    write_rows(folder / "Z.txt", pymrio_rows(products, products, total, names), "\t")
    demand = np.vstack([Y, np.zeros(4)])
    write_rows(
        folder / "Y.txt",
        pymrio_rows([("AUS", str(k)) for k in range(4)], products, demand, names),
        "\t",
    )
    (folder / "file_parameters.json").unlink()
    (folder / "x.txt").unlink()
    (folder / "satellite" / "file_parameters.json").unlink()
    (folder / "satellite" / "F.txt").unlink()
    with pytest.raises(InvalidInputError, match=r"product ALL\|Total: its row is the sum of all"):
        read(folder)


def test_marks_and_encodings_are_understood(tmp_path):
    folder = exiobase(tmp_path / "t")
    text = (folder / "unit.txt").read_text()
    (folder / "unit.txt").write_bytes(b"\xef\xbb\xbf" + text.replace("M.EUR", "M€").encode())
    assert read(folder).table.units == "M€"
    for name in ("A", "Y", "x", "unit", "satellite/F"):
        text = (folder / f"{name}.txt").read_text(encoding="utf-8-sig")
        (folder / f"{name}.txt").write_bytes(
            text.replace("C10", "Café").replace("€", "E").encode("latin-1")
        )
    found = read(folder)
    assert found.table.ids.tolist() == ["AUS|A01", "AUS|Café", "USA|A01", "USA|Café"]
    assert "A: not UTF-8, read as Latin-1: look at the names, first in row 2" in found.messages
    (folder / "A.txt").write_bytes(
        (folder / "A.txt").read_bytes().decode("latin-1").encode("utf-16")
    )
    with pytest.raises(
        InvalidInputError, match=r"A\.txt, row 1: the text is UTF-16; save it as UTF-8"
    ):
        read(folder)


def test_empty_cells_are_zero_and_told(tmp_path):
    folder = exiobase(tmp_path / "t", coefficients=False)
    changed(folder, "Z.txt", "\t0.0\t", "\t\t")
    found = read(folder)
    assert (found.table.coefficients.toarray() == A).all()
    assert found.messages == (
        "Z: 1 empty cell taken as 0, the first in row 7, column AUS A01",
        PRICES,
    )


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mother.txt").write_text("dear")
    with pytest.raises(WrongUsageError, match="will not be replaced"):
        write(small_table(), tmp_path / "letters", format="pymrio")
    assert (tmp_path / "letters" / "mother.txt").read_text() == "dear"
    write(small_table(), tmp_path / "new", format="pymrio")
    write(small_table(), tmp_path / "new")  # no other form is a folder
    assert (read(tmp_path / "new").table.coefficients != small_table().coefficients).nnz == 0


def test_labels_that_break_lines_are_refused(tmp_path):
    table = small_table()
    table = dataclasses.replace(table, ids=np.array([f"a\n{k}" for k in range(len(table))]))
    with pytest.raises(WrongUsageError, match="cannot be a label"):
        write(table, tmp_path / "t.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_published_layout_says_itself_what_its_numbers_are(tmp_path):
    folder = exiobase(tmp_path / "t")
    with pytest.raises(WrongUsageError, match="leave --kind away"):
        read(folder, kind="flows")
    write(small_table(), tmp_path / "t.npz")
    with pytest.raises(WrongUsageError, match=r"--factor goes with pymrio, .*; this is npz"):
        read(tmp_path / "t.npz", factors=["labour"])


# ---- pymrio itself ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("table_format", ["txt", "parquet"])
@pytest.mark.parametrize("is_computed", [False, True])
def test_what_pymrio_saves_is_read(tmp_path, table_format, is_computed):
    pymrio = pytest.importorskip("pymrio")
    system = pymrio.load_test()
    if is_computed:
        system.calc_all()
    system.save_all(tmp_path / "t", table_format=table_format)
    found = read(tmp_path / "t").table
    system.calc_all()
    assert found.ids.tolist() == ["|".join(label) for label in system.Z.index]
    # Text is written with 12 figures by pymrio; Parquet is exact, but A = Z / x is then ours.
    near = {"rtol": 1e-11, "atol": 1e-18}
    np.testing.assert_allclose(found.coefficients.toarray(), system.A.to_numpy(), **near)
    np.testing.assert_allclose(found.output, system.x.to_numpy().ravel(), **near)
    np.testing.assert_allclose(found.demand, system.Y.to_numpy().sum(axis=1), rtol=1e-11)
    emissions = system.emissions.S.to_numpy()
    np.testing.assert_allclose(found.factors["emission_type1|air"], emissions[0], **near)
    assert found.factor_units["emission_type1|air"] == "kg"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["t", "t.zip"])
def test_pymrio_reads_what_is_written_and_computes_the_same_economy(tmp_path, name):
    pymrio = pytest.importorskip("pymrio")
    table = read(exiobase(tmp_path / "exiobase")).table
    write(table, tmp_path / name, format="pymrio")
    system = pymrio.load_all(tmp_path / name)
    assert ["|".join(label) for label in system.A.index] == table.ids.tolist()
    assert (system.A.to_numpy() == A).all()
    assert (system.x.to_numpy().ravel() == X).all()
    assert (system.factors.S.loc["CO2"].to_numpy() == table.factors["CO2"]).all()
    system.calc_system()
    np.testing.assert_allclose(system.Z.to_numpy(), Z, rtol=1e-14)
    np.testing.assert_allclose(system.L.to_numpy() @ Y.sum(axis=1), X, rtol=1e-13)
    assert json.loads(system.unit.to_json(orient="values")) == [["M.EUR"]] * 4
