"""The files of other planning programs: Cockshott's five-year plans, and plecpr.

The flows are those that come with the programs; expectations are worked by hand.
"""

import numpy as np
import pytest

from ogas.datasets.forms import read
from ogas.engine.errors import InvalidInputError, WrongUsageError

FLOWS = """headings,iron,coal,corn,bread
iron,0.1,0,0,0
coal,2,1,0.04,0.2
corn,0,0,1,1
bread,0,0,0,0
labour,0.3,1,2,0.1
output,10,6,10,1
"""
TARGETS = "headings,iron,coal,corn,bread,labour\nyear1,0.1,3,0,2,3\nyear2,0.1,3,0,2.01,3.01 \n"
CODES = """370483129521,0 669555.0
370483129521,729255273286 2323.5
370483129521,1 500192.0
729255273286,1 81671.333
729255273286,370483129521 98798.0
729255273286,729255273286 457.2
"""


def test_a_five_year_plan_has_recipes_labour_and_the_targets_of_its_first_year(tmp_path):
    (tmp_path / "flows.csv").write_text(FLOWS)
    table = read(tmp_path / "flows.csv").table
    assert table.ids.tolist() == ["iron", "coal", "corn", "bread"]
    assert table.coefficients.toarray()[1].tolist() == [2 / 10, 1 / 6, 0.04 / 10, 0.2]
    assert table.factors["labour"].tolist() == [0.3 / 10, 1 / 6, 0.2, 0.1]
    np.testing.assert_allclose(table.demand, [9.9, 6 - 3.24, 8, 1], rtol=1e-15)
    (tmp_path / "labtarg.csv").write_text(TARGETS)
    found = read(tmp_path / "flows.csv")
    assert found.table.demand.tolist() == [0.1, 3, 0, 2]
    assert found.table.output is None
    assert found.messages == ("final demand is the target year1 of labtarg.csv",)


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ("corn,0,0,1,1\n", "", "no row for 'all corn'"),
        ("output,10", "output,0", "product iron: its output is 0 but it uses inputs"),
        ("iron,0.1", "iron,x", "row 2, column iron: 'x' is not a finite number"),
        ("output,10,6,10,1\n", "", "neither output nor demand is known"),
    ],
)
def test_bad_flows_are_refused(tmp_path, old, new, pattern):
    (tmp_path / "flows.csv").write_text(FLOWS.replace(old, new))
    with pytest.raises(InvalidInputError, match=pattern):
        read(tmp_path / "flows.csv")


def test_targets_of_other_products_are_refused_with_their_file(tmp_path):
    (tmp_path / "flows.csv").write_text(FLOWS)
    (tmp_path / "labtarg.csv").write_text(TARGETS.replace("coal", "gas"))
    with pytest.raises(InvalidInputError, match=r"labtarg\.csv, column 3: .*no row for 'coal'"):
        read(tmp_path / "flows.csv")


def test_bar_codes_are_products_and_labour_is_a_factor(tmp_path):
    (tmp_path / "iotable.txt").write_text(CODES)
    found = read(tmp_path / "iotable.txt")
    table = found.table
    assert table.ids.tolist() == [370483129521, 729255273286]
    first, second = 500192.0, 81671.333
    A = [[0, 98798.0 / second], [2323.5 / first, 457.2 / second]]
    assert table.coefficients.toarray().tolist() == A
    assert table.factors["labour"].tolist() == [669555.0 / first, 0]
    np.testing.assert_allclose(table.demand, [first - 98798.0, second - 2780.7], rtol=1e-15)
    assert found.messages == ("no final demand in it: taken to be what the outputs leave",)
    with pytest.raises(WrongUsageError, match=r"no factor 'CO2'.*'labour'"):
        read(tmp_path / "iotable.txt", factors=["CO2"])


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("370483129521,0 1", "row 7: the amount of 0 for 370483129521 is there twice"),
        ("370483129521,5 1", "product 370483129521: it uses 5, which nobody makes"),
        ("7,0 1", "product 7: nobody says how much of it is made"),
        ("7;0 1", "row 7: '7;0 1' is no product,input amount"),
        ("7,1 1,5", "row 7: '1,5' is not a finite number; write decimals with a point"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path, line, pattern):
    (tmp_path / "iotable.txt").write_text(CODES + line + "\n")
    with pytest.raises(InvalidInputError, match=pattern):
        read(tmp_path / "iotable.txt")
