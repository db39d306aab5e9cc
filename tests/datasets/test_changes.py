"""Change files: what rows say, and every fault of every file at once."""

import pytest

from ogas.datasets.changes import ChangesError, read_changes, told
from ogas.engine.errors import DamagedError

HEAD = "change,of,product,input,value,block,source\n"


def written(tmp_path, **files):
    found = []
    for name, rows in files.items():
        file = tmp_path / f"{name}.csv"
        file.write_text(HEAD + rows)
        found.append(file)
    return found


def test_files_are_read_one_after_the_other_and_rows_from_the_top(tmp_path):
    rows = "set,coefficient,P,S,0.5,,plant 7\nscale,demand,,,1.1,,\n"
    found = read_changes(written(tmp_path, a=rows, b="retire,,P,,,,\n"))
    said = [(row.verb, row.of, row.product, row.input, row.where) for row in found.rows]
    assert said == [
        ("set", "coefficient", "P", "S", "a.csv row 2"),
        ("scale", "demand", "", "", "a.csv row 3"),
        ("retire", "product", "P", "", "b.csv row 2"),
    ]
    assert [row.value for row in found.rows[:2]] == [0.5, 1.1]


def test_who_sent_what_and_when_is_known(tmp_path):
    (file,) = written(tmp_path, a="set,demand,P,,1,,plant 7\nset,demand,Q,,2,,\n")
    (origin,) = read_changes([file]).origins
    assert (origin.file, origin.rows, origin.sources) == ("a.csv", 2, ("plant 7",))
    assert origin.received.endswith("+00:00")
    file.write_text(file.read_text() + "set,demand,R,,3,,\n")
    assert read_changes([file]).origins[0].digest != origin.digest


def test_parquet_says_the_same(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    cells = {"change": ["set"], "of": ["demand"], "product": [7], "input": [None], "value": [1.5]}
    parquet.write_table(pyarrow.table(cells), tmp_path / "a.parquet")
    (row,) = read_changes([tmp_path / "a.parquet"]).rows
    assert (row.product, row.input, row.value, row.where) == ("7", "", 1.5, "a.parquet row 1")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("raise,demand,P,,1,,", "'raise' is no change; there are: set, scale, add"),
        ("set,,P,,1,,", "set what"),
        ("set,product,P,,1,,", "set what"),
        ("set,demand,,,1,,", "no product"),
        ("set,coefficient,P,,1,,", "no input"),
        ("scale,coefficient,,S,1,,", "no product"),
        ("set,demand,P,,,,", "value is '', not a finite number"),
        ("set,demand,P,,nan,,", "value is 'nan', not a finite number"),
        ("set,demand,P,,inf,,", "value is 'inf', not a finite number"),
        ("set,demand,P,,1 000,,", "value is '1 000', not a number"),
        ("move,product,P,,,,", "no block"),
        ("retire,demand,P,,,,", "one can retire a product, not a demand"),
        ("add,product,P,,3,,", "to add a product takes no value"),
    ],
)
def test_a_row_that_is_no_change_is_named(tmp_path, row, fault):
    with pytest.raises(ChangesError) as found:
        read_changes(written(tmp_path, a=row + "\n"))
    (only,) = found.value.faults
    assert (only.where, fault in only.what) == ("a.csv row 2", True)


def test_all_faults_of_all_files_are_told_at_once(tmp_path):
    files = written(tmp_path, a="x,,,,,,\nset,demand,P,,1,,\n" * 4, b="set,demand,,,1,,\n")
    (tmp_path / "c.csv").write_text("product\nP\n")
    with pytest.raises(ChangesError, match=r"6 faults in the changes: .* and 1 more; correct") as e:
        read_changes([*files, tmp_path / "c.csv"])
    places = [fault.where for fault in e.value.faults]
    assert places[:5] == [*(f"a.csv row {row}" for row in (2, 4, 6, 8)), "b.csv row 2"]
    assert places[5].endswith("c.csv, row 1")
    assert len(told(e.value)) == 6


def test_a_file_that_is_no_table_is_damaged(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'product,"set')
    with pytest.raises(DamagedError, match=r"a\.csv"):
        read_changes([tmp_path / "a.csv"])
