"""Matrices of life-cycle assessment: a datapackage of Brightway (bw_processing), folder or zip.

    datapackage.json      {"resources": [{"group": "t", "kind": "indices", "path": "t.indices.npy",
                             "matrix": "technosphere_matrix", "category": "vector", ...}, ...]}
    t.indices.npy         (row, col): ids of a product and of an activity, a pair for each entry
    t.data.npy            amounts               t.flip.npy      which are inputs: counted negative

    technosphere T        products × activities, square: amounts made, less amounts used
    biosphere B           elementary flows × activities
    characterization C    how much each elementary flow counts

Activity j makes its reference product p(j): the entry that is marked, else the one whose row and
column have the same id, else the only positive one. In units of the product,

    A[i, p(j)] = -T[i, j] / T[p(j), j]   for i ≠ p(j),   x = T s;   a factor is B[k, j] / T[p(j), j]

Other products of an activity are credits, negative entries of A. Where T[p(j), j] < 0, the activity
takes something in (waste): its treatment is then the product, and the row changes its sign.

Source: bw_processing 1.6, read me; Heijungs and Suh (2002), The Computational Structure of LCA.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from ogas.datasets.found import Found, reading
from ogas.datasets.published.archive import Archive
from ogas.datasets.published.brightway_package import PACKAGE, Entries, Package
from ogas.datasets.published.wanted import Picked, Wanted
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Integers, Vector, coefficients_from

TECHNOSPHERE, BIOSPHERE = "technosphere_matrix", "biosphere_matrix"
CHARACTERIZATION = "characterization_matrix"
NAMED = 5


@dataclass(frozen=True, eq=False)
class References:
    """Which activity makes which product, and how much of it per unit of activity.

    Attributes
    ----------
    products : (n,) int64, ascending
    activities : (n,) int64
        The maker of each product.
    made : (n,) float64
        T[p(j), j]; negative where an activity takes something in.
    """

    products: Integers
    activities: Integers
    made: Vector

    def made_by(self, activities: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """Return the place of each activity's product, and whether there is one."""
        order = np.argsort(self.activities)
        place = np.searchsorted(self.activities, activities, sorter=order)
        found = order[np.minimum(place, order.size - 1)]
        return found, self.activities[found] == activities


def is_brightway(archive: Archive) -> bool:
    """Return whether a folder or zip is a datapackage."""
    return PACKAGE in archive.names


def read_brightway(source: Path, wanted: Wanted) -> Found:
    """Read a datapackage; it says nothing of demand.

    Raises
    ------
    InvalidInputError
        If products and activities do not match one to one; with their ids.
    """
    with reading(source):
        package = Package.of(Archive.of(source))
        technosphere = package.entries(TECHNOSPHERE)
        if technosphere is None:
            raise InvalidInputError(
                f"there is no {TECHNOSPHERE}",
                advice="take the datapackage of a database, not that of a method",
            )
        references = _references(technosphere)
        picked = Picked(wanted)
        factors = {
            name: amounts / abs(references.made)
            for name, amounts in _burdens(package, references, picked)
        }
        header = Header(ids=references.products, factors=factors, meta=package.meta())
        messages = (*package.messages(), *_said(references), *picked.messages())
        matrix = coefficients_from(_recipes(technosphere, references))
        return Found(matrix, header, messages)


def _references(entries: Entries) -> References:
    products, activities = np.unique(entries.rows), np.unique(entries.columns)
    if products.size != activities.size:
        raise InvalidInputError(
            f"{products.size:,} products and {activities.size:,} activities: the matrix is not "
            "square",
            advice="allocate joint products, and leave one supplier for each product",
        )
    chosen = _chosen(entries, activities)
    makers, times = np.unique(entries.rows[chosen], return_counts=True)
    if (times > 1).any():
        raise InvalidInputError(
            f"several activities make these products: {_some(makers[times > 1])}",
            advice="leave one activity for each product, or mix them into a market",
        )
    order = chosen[np.argsort(entries.rows[chosen])]
    return References(products, entries.columns[order], entries.values[order])


def _chosen(entries: Entries, activities: Integers) -> Integers:
    """Return for every activity the number of the entry of its reference product."""
    found = np.full(activities.size, -1, dtype=np.int64)
    is_there = entries.values != 0
    same_id = entries.rows == entries.columns
    for rule in (entries.marked & is_there, same_id & is_there, entries.values > 0):
        numbers = np.flatnonzero(rule)
        place = np.searchsorted(activities, entries.columns[numbers])
        is_alone = np.bincount(place, minlength=activities.size)[place] == 1
        fits = is_alone & (found[place] < 0)
        found[place[fits]] = numbers[fits]
    lost = activities[found < 0]
    if lost.size:
        raise InvalidInputError(
            f"{lost.size:,} activities have no one reference product: {_some(lost)}",
            advice="mark it (reference_array), or give product and activity the same id",
        )
    return found


def _recipes(entries: Entries, references: References) -> csr_array:
    rows = np.searchsorted(references.products, entries.rows)
    columns, _ = references.made_by(entries.columns)
    made = references.made
    values = -entries.values * np.sign(made)[rows] / abs(made)[columns]
    used = rows != columns
    shape = (made.size, made.size)
    return csr_array(coo_array((values[used], (rows[used], columns[used])), shape=shape))


def _burdens(
    package: Package, references: References, picked: Picked
) -> Iterator[tuple[str, Vector]]:
    """Yield what is wanted of impacts, then of elementary flows, per unit of activity."""
    flows = package.entries(BIOSPHERE)
    if flows is None:
        return
    columns, is_known = references.made_by(flows.columns)
    ids, rows = np.unique(flows.rows, return_inverse=True)
    shape = (ids.size, references.made.size)
    places = rows[is_known], columns[is_known]
    biosphere = csr_array(coo_array((flows.values[is_known], places), shape=shape))
    for name, weights in package.groups(CHARACTERIZATION):
        if picked.takes(name):
            place = np.minimum(np.searchsorted(ids, weights.rows), ids.size - 1)
            known = ids[place] == weights.rows
            by_flow = np.bincount(place[known], weights.values[known], minlength=ids.size)
            yield name, biosphere.T @ by_flow
    for row, flow in enumerate(ids.tolist()):
        if picked.takes(f"biosphere {flow}"):
            yield f"biosphere {flow}", biosphere[[row]].toarray()[0]


def _said(references: References) -> list[str]:
    said = ["no final demand in it: plans will need --demand"]
    waste = references.products[references.made < 0]
    if waste.size:
        said.append(f"{waste.size:,} products are treatments of waste: {_some(waste)}")
    return said


def _some(ids: Integers) -> str:
    more = f" and {ids.size - NAMED:,} more" if ids.size > NAMED else ""
    return ", ".join(map(str, ids[:NAMED].tolist())) + more
