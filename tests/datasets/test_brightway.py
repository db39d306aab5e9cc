"""Datapackages of Brightway: made here in their layout, and by bw_processing where it is installed.

The oracle is the equation of life-cycle assessment itself: T s = f, inventory B s, impact c B s.
"""

import json

import numpy as np
import pytest
from published_files import zipped

from ogas.datasets.forms import read
from ogas.engine.errors import InvalidInputError, WrongUsageError

# Products 1, 2, 3 by activities 11, 12, 13 (their own ids); grid mix, steel, heat from waste. The
# second makes some of product 3 besides (a credit), the third takes product 1 and its own.
PRODUCTS = np.array([1, 2, 3])
ACTIVITIES = np.array([11, 12, 13])
T = np.array([[2.0, -0.4, -0.1], [-0.3, 1.0, -0.2], [0.0, 0.05, 4.0]])
B = np.array([[5.0, 1.0, 0.5], [0.0, 2.0, 3.0]])  # flows 901, 902
C = np.array([1.0, 28.0])
FLOWS = np.array([901, 902])
PAIR = np.dtype([("row", np.int64), ("col", np.int64)])


def vectors(matrix, rows, columns, mark=()):
    """Indices, amounts without sign, and which of them are inputs, as Brightway has it."""
    i, j = np.nonzero(matrix)
    indices = np.zeros(len(i), dtype=PAIR)
    indices["row"], indices["col"] = rows[i], columns[j]
    found = {"indices": indices, "data": np.abs(matrix[i, j]), "flip": matrix[i, j] < 0}
    if len(mark):
        found["reference"] = np.array(
            [(rows[a], columns[b]) in mark for a, b in zip(i, j, strict=True)]
        )
    return found


def package(folder, groups, **more):
    """Write a datapackage: {group: (matrix, vectors)}."""
    folder.mkdir()
    resources = []
    for group, (matrix, arrays) in groups.items():
        for kind, array in arrays.items():
            np.save(folder / f"{group}.{kind}.npy", array)
            resources.append(
                {
                    "profile": "data-resource",
                    "format": "npy",
                    "name": f"{group}.{kind}",
                    "path": f"{group}.{kind}.npy",
                    "group": group,
                    "kind": kind,
                    "matrix": matrix,
                    "category": "vector",
                    "nrows": len(array),
                }
            )
    said = {"name": "made up", "licenses": [{"name": "CC0"}], "resources": resources, **more}
    (folder / "datapackage.json").write_text(json.dumps(said))
    return folder


MARKED = {(1, 11), (2, 12), (3, 13)}


def groups(technosphere=T, mark=MARKED, activities=ACTIVITIES):
    diagonal = np.zeros(2, dtype=PAIR)
    diagonal["row"] = diagonal["col"] = FLOWS
    return {
        "techno": ("technosphere_matrix", vectors(technosphere, PRODUCTS, activities, mark)),
        "bio": ("biosphere_matrix", vectors(B, FLOWS, activities)),
        "gwp": ("characterization_matrix", {"indices": diagonal, "data": C}),
    }


def test_outputs_and_values_are_those_of_life_cycle_assessment(tmp_path):
    folder = package(tmp_path / "p", groups())
    demand = np.array([1.0, 0, 3])
    activity = np.linalg.solve(T, demand)
    for source in (folder, zipped(folder, tmp_path / "p.zip")):
        found = read(source)
        table = found.table
        A = table.coefficients.toarray()
        np.testing.assert_allclose(np.linalg.solve(np.eye(3) - A, demand), np.diag(T) * activity)
        direct = table.factors["gwp"]
        value = np.linalg.solve(np.eye(3) - A.T, direct)
        np.testing.assert_allclose(value @ demand, C @ B @ activity)
        np.testing.assert_allclose(table.factors["biosphere 902"] * np.diag(T), B[1])
        assert list(table.factors) == ["gwp", "biosphere 901", "biosphere 902"]
        assert table.ids.tolist() == [1, 2, 3]
        assert table.meta == {"title": "made up", "licence": "CC0"}
        assert found.messages == ("no final demand in it: plans will need --demand",)


@pytest.mark.parametrize("activities", [PRODUCTS, ACTIVITIES])
def test_products_and_activities_need_not_be_marked(tmp_path, activities):
    by_id = (
        T if activities is PRODUCTS else np.where(T == 0.05, 0, T)
    )  # else the credit is a second
    table = read(package(tmp_path / "p", groups(by_id, (), activities))).table
    np.testing.assert_allclose(
        table.coefficients.toarray(), np.diag(np.ones(3)) - by_id / np.diag(by_id)
    )


def test_what_takes_waste_in_makes_its_treatment(tmp_path):
    waste = T * np.array([1, 1, -1])[:, None]  # product 3 is a burden: what is made of it, is left
    found = read(package(tmp_path / "p", groups(waste)))
    plain = read(package(tmp_path / "q", groups(T)))
    np.testing.assert_allclose(
        found.table.coefficients.toarray(), plain.table.coefficients.toarray()
    )
    assert (found.table.factors["gwp"] == plain.table.factors["gwp"]).all()
    assert "1 products are treatments of waste: 3" in found.messages


def test_entries_of_a_group_add_up_and_a_later_group_replaces_an_earlier(tmp_path):
    def half(column):
        return {k: np.concatenate([v, v[column : column + 1]]) for k, v in whole.items()}

    whole = vectors(T, PRODUCTS, ACTIVITIES, MARKED)
    named = groups()
    twice = package(tmp_path / "a", {**named, "techno": ("technosphere_matrix", half(1))})
    A = read(twice).table.coefficients.toarray()
    assert A[0, 1] == 2 * 0.4
    once = package(
        tmp_path / "b",
        {**named, "techno": ("technosphere_matrix", half(1))},
        sum_intra_duplicates=False,
    )
    assert read(once).table.coefficients.toarray()[0, 1] == 0.4
    later = np.zeros(1, dtype=PAIR)
    later["row"], later["col"] = 1, 12
    change = {"indices": later, "data": np.array([0.7]), "flip": np.array([True])}
    changed = package(tmp_path / "c", {**named, "new": ("technosphere_matrix", change)})
    assert read(changed).table.coefficients.toarray()[0, 1] == 0.7
    added = package(
        tmp_path / "d", {**named, "new": ("technosphere_matrix", change)}, sum_inter_duplicates=True
    )
    assert read(added).table.coefficients.toarray()[0, 1] == pytest.approx(1.1)


def test_only_the_factors_that_are_named_are_read(tmp_path):
    folder = package(tmp_path / "p", groups())
    assert list(read(folder, factors=["biosphere 90*"]).table.factors) == [
        "biosphere 901",
        "biosphere 902",
    ]
    with pytest.raises(WrongUsageError, match="no factor 'water'"):
        read(folder, factors=["water"])


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"technosphere": T, "mark": ()}, "1 activities have no one reference product: 12"),
        (
            {"technosphere": T[:, :], "mark": {(1, 11), (1, 12), (3, 13)}},
            "several activities make these products: 1",
        ),
        ({"technosphere": T[:2], "mark": ()}, "2 products and 3 activities.*not square"),
    ],
)
def test_a_package_without_one_activity_for_each_product_is_refused(tmp_path, change, pattern):
    with pytest.raises(InvalidInputError, match=pattern):
        read(package(tmp_path / "p", groups(**change)))


def test_a_damaged_package_is_refused_with_the_file(tmp_path):
    folder = package(tmp_path / "p", groups())
    objects = np.array([{}] * 8, dtype=object)
    for name, array, pattern in (
        ("techno.data.npy", np.ones(3), r"techno\.data\.npy: \(3,\) entries, but indices has"),
        ("techno.data.npy", np.full(8, np.nan), r"techno\.data\.npy, entry 0: nan is not a finite"),
        ("techno.data.npy", objects, r"techno\.data\.npy: it holds Python objects"),
        ("techno.indices.npy", np.ones(8), r"techno\.indices\.npy: it has no row and col"),
    ):
        kept = (folder / name).read_bytes()
        np.save(folder / name, array, allow_pickle=True)
        with pytest.raises(InvalidInputError, match=pattern):
            read(folder)
        (folder / name).write_bytes(kept)
    (folder / "techno.data.npy").unlink()
    with pytest.raises(InvalidInputError, match=r"techno\.data\.npy: this file is missing"):
        read(folder)
    del_techno = {name: group for name, group in groups().items() if name != "techno"}
    with pytest.raises(InvalidInputError, match="there is no technosphere_matrix"):
        read(package(tmp_path / "q", del_techno))


@pytest.mark.filterwarnings("ignore")
def test_what_bw_processing_writes_is_read(tmp_path):
    bw = pytest.importorskip("bw_processing")
    filesystem = bw.io_helpers.generic_zipfile_filesystem(dirpath=tmp_path, filename="p.zip")
    made = bw.create_datapackage(fs=filesystem, name="made")
    for group, (matrix, arrays) in groups().items():
        made.add_persistent_vector(
            matrix=matrix,
            name=group,
            indices_array=arrays["indices"],
            data_array=arrays["data"],
            flip_array=arrays.get("flip"),
            reference_array=arrays.get("reference"),
        )
    made.finalize_serialization()
    ours = read(package(tmp_path / "p", groups())).table
    theirs = read(tmp_path / "p.zip").table
    assert (ours.coefficients.toarray() == theirs.coefficients.toarray()).all()
    assert (ours.factors["gwp"] == theirs.factors["gwp"]).all()
