"""The worked example of Eurostat's manual, and the tables of results that it prints for it.

Beutel in: Eurostat (2008), Manual of Supply, Use and Input-Output Tables, ch. 15: Germany, domestic
output at basic prices (Table 15.4, million EUR, employment in thousands). Its numbers, and those
printed in Tables 15.8 to 15.20, as the R package iotables keeps and tests them.
"""

import numpy as np
import pytest
from inverses import Dense

from ogas.engine.analyses.entries import columns_of
from ogas.engine.analyses.flows import ghosh
from ogas.engine.analyses.linkages import linkages
from ogas.engine.analyses.multipliers import multipliers
from ogas.engine.table import Table, coefficients_from

GROUPS = ["agriculture", "manufacturing", "construction", "trade", "business", "other services"]
FLOWS = np.array(
    [
        [1131, 25480, 1, 607, 710, 762],
        [7930, 304584, 64167, 41082, 11981, 30360],
        [426, 7334, 3875, 5296, 23457, 9155],
        [3559, 72717, 14190, 74399, 10835, 21008],
        [3637, 96115, 31027, 65755, 193176, 34223],
        [1552, 14986, 1747, 11225, 15058, 22070],
    ],
    dtype=np.float64,
)
FINAL_USE = np.array([15219, 619342, 196063, 343355, 268554, 442280], dtype=np.float64)
OUTPUT = np.array([43910, 1079446, 245606, 540063, 692487, 508918], dtype=np.float64)
VALUE_ADDED = np.array([21664, 395022, 115624, 311407, 415426, 365017], dtype=np.float64)
EMPLOYED = np.array([1096, 8381, 3236, 9251, 4258, 10206], dtype=np.float64)


@pytest.fixture(scope="module")
def germany():
    table = Table(
        coefficients_from(FLOWS / OUTPUT),
        np.array(GROUPS),
        demand=FINAL_USE,
        factors={"value added": VALUE_ADDED / OUTPUT, "employment": EMPLOYED / OUTPUT},
        units="million EUR",
        output=OUTPUT,
    )
    return Dense(table).inverse()


def test_the_table_adds_up():
    assert (FLOWS.sum(axis=1) + FINAL_USE == OUTPUT).all()


def test_multipliers_of_output_value_added_and_employment_are_those_printed(germany):
    found = multipliers(germany).columns
    printed = {
        "output": [1.7048, 1.8413, 1.8136, 1.6035, 1.5951, 1.3782],
        "value added": [0.8450, 0.7647, 0.8615, 0.9019, 0.9393, 0.9199],
        "employment": [0.0326, 0.0162, 0.0207, 0.0237, 0.0112, 0.0242],
    }
    assert {name: found[name].middle.round(4).tolist() for name in printed} == printed


def test_the_inverse_has_the_diagonal_that_is_printed(germany):
    columns = columns_of(germany, [0, 1, 2]).columns
    diagonal = [columns[GROUPS[k]].middle[k].round(4) for k in range(3)]
    assert diagonal == [1.0339, 1.4292, 1.0289]


def test_agriculture_delivers_by_ghosh_what_is_printed(germany):
    """The column of agriculture in Ghosh's inverse: x_i^-1 L_ij x_j."""
    column = columns_of(germany, [0]).columns[GROUPS[0]].middle
    printed = [1.0339, 0.0118, 0.0037, 0.0103, 0.0117, 0.0043]
    assert (column * OUTPUT[0] / OUTPUT).round(4).tolist() == printed


def test_linkages_are_those_printed(germany):
    """But for manufacturing's forward linkage: quoted as 1.6691, where the table gives 1.6910."""
    found = linkages(germany).columns
    assert found["backward"].middle.round(4).tolist() == [
        1.7048,
        1.8413,
        1.8136,
        1.6035,
        1.5951,
        1.3782,
    ]
    forward = np.delete(found["forward supply"].middle.round(4), 1).tolist()
    assert forward == [2.1126, 1.3558, 1.5848, 2.1037, 1.2106]
    supplied = np.delete(ghosh(germany).columns["supply multiplier"].middle.round(4), 1).tolist()
    assert supplied == forward
