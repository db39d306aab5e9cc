"""Every reader against every damage: refused with its place, and nothing half-imported.

The files are small ones in the published layouts (`published_files`, `bea_files`), damaged here.
"""

import csv
import io
import re
from dataclasses import dataclass, replace
from functools import partial

import pytest
from bea_files import make_rows, use_rows, write_book
from published_files import (
    VALUE_ADDED,
    A,
    X,
    Y,
    Z,
    exiobase,
    figaro_flat,
    figaro_matrix,
    icio,
    niot_2013,
    niot_2016,
    wiod_rows,
    write_sheets,
)

USE_FILE = "IOUse_Before_Redefinitions_PRO_2017_Detail.xlsx"
MAKE_FILE = "IOMake_Before_Redefinitions_2017_Detail.xlsx"
NAMES = ["wheat", "steel", "bread", "coal"]


@dataclass(frozen=True)
class Reader:
    """A good file of a form: its cells, where its numbers begin, and how it is written.

    ``heading`` is the row that names the columns, ``first`` the first cell of numbers and
    ``last`` the last row of products.
    """

    rows: list
    heading: int
    first: tuple[int, int]
    last: int
    file: str
    options: tuple[str, ...]
    separator: str = ","
    sheet: str = ""

    @property
    def is_text(self):
        return not self.sheet

    def text(self):
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerows(self.rows)
        return out.getvalue()

    def write(self, folder, encoding="utf-8"):
        """Write the file, and what belongs to it; return what is to be imported."""
        if self.file == "t/A.txt":
            exiobase(folder / "t")
        elif self.file == USE_FILE:
            write_book(folder / MAKE_FILE, {"2017": make_rows()})
        if self.is_text:
            (folder / self.file).write_bytes(self.text().encode(encoding))
        else:
            write_sheets(folder / self.file, {self.sheet: self.rows})
        return folder / ("t" if self.file == "t/A.txt" else self.file)


def square():
    columns = zip(NAMES, Z.tolist(), Y.sum(axis=1).tolist(), X.tolist(), strict=True)
    body = [[name, *flows, final, output] for name, flows, final, output in columns]
    return [["", *NAMES, "demand", "output"], *body, ["wages", *VALUE_ADDED.tolist(), "", ""]]


def edges():
    pairs = [(i, j) for i in range(4) for j in range(4) if A[i, j]]
    return [["supplier", "user", "quantity"], *([NAMES[i], NAMES[j], A[i, j]] for i, j in pairs)]


def pymrio():
    labels = [["AUS", "A01"], ["AUS", "C10"], ["USA", "A01"], ["USA", "C10"]]
    head = [
        [name, "", *(label[k] for label in labels)] for k, name in enumerate(("region", "sector"))
    ]
    return [
        *head,
        ["region", "sector", *[""] * 4],
        *([*x, *a] for x, a in zip(labels, A.tolist(), strict=True)),
    ]


NIOT = ("--format", "niot")
READERS = {
    "pymrio": Reader(pymrio(), 1, (3, 2), 6, "t/A.txt", (), "\t"),
    "icio": Reader(icio("V1", "OUT", "VA"), 0, (1, 1), 4, "ICIO.csv", ("--format", "icio")),
    "figaro matrix": Reader(figaro_matrix(), 0, (1, 1), 4, "f.csv", ("--format", "figaro")),
    "figaro flat": Reader(figaro_flat(), 0, (1, 6), 4, "f.csv", ("--format", "figaro")),
    "wiod": Reader(wiod_rows(), 2, (6, 4), 9, "w.xlsx", ("--format", "wiod"), sheet="2014"),
    "niot 2016": Reader(
        niot_2016((2014,)), 0, (2, 4), 5, "AUS.xlsx", NIOT, sheet="National IO-tables"
    ),
    "niot 2013": Reader(niot_2013(), 2, (6, 4), 9, "AUS.xlsx", NIOT, sheet="2009"),
    "niot csv": Reader(niot_2016((2014,)), 0, (2, 4), 5, "AUS.csv", NIOT),
    "bea": Reader(
        use_rows(), 5, (6, 2), 9, USE_FILE, ("--model", "industry-technology"), sheet="2017"
    ),
    "square": Reader(square(), 0, (1, 1), 4, "s.csv", ("--format", "square", "--kind", "flows")),
    "square book": Reader(
        square(), 0, (1, 1), 4, "s.xlsx", ("--format", "square", "--kind", "flows"), sheet="economy"
    ),
    "edges": Reader(edges(), 0, (1, 2), 5, "e.csv", ("--format", "edges")),
}
LISTS = {"edges", "figaro flat"}  # rows are entries, not products


def changed(reader, row, column, value):
    rows = [list(cells) for cells in reader.rows]
    assert rows[row][column] != value
    rows[row][column] = value
    return replace(reader, rows=rows)


def number(reader, value):
    row, column = reader.first
    return changed(reader, row, column, value)


def heading_twice(reader):
    row, column = reader.heading, reader.first[1]
    after = column - 1 if column + 1 == len(reader.rows[row]) else column + 1
    return changed(reader, row, after, reader.rows[row][column])


def heading(reader, value):
    return changed(reader, reader.heading, reader.first[1], value)


def row_twice(reader):
    at = reader.first[0]
    return replace(reader, rows=[*reader.rows[: at + 1], *reader.rows[at:]])


def row_missing(reader):
    at = reader.first[0]
    return replace(reader, rows=[*reader.rows[:at], *reader.rows[at + 1 :]])


def total_inside(reader):
    """A row of sums below the products, as people leave it there."""
    row, column = reader.first
    body = [cells[column:] for cells in reader.rows[row : reader.last + 1]]
    sums = [
        sum(v for v in cells if isinstance(v, int | float)) for cells in zip(*body, strict=True)
    ]
    label = list(reader.rows[reader.last][:column])
    label = [re.sub("[A-Z]*[a-z]*[0-9]+[A-Z0-9]*$|coal", "Total", str(text)) for text in label]
    above, below = reader.rows[: reader.last + 1], reader.rows[reader.last + 1 :]
    return replace(reader, rows=[*above, [*label, *sums], *below])


def transposed(reader):
    width = max(map(len, reader.rows))
    full = [[*cells, *[""] * (width - len(cells))] for cells in reader.rows]
    return replace(reader, rows=[list(cells) for cells in zip(*full, strict=True)])


CELL = r"row \d+|cell [A-Z]+\d+"
WHERE = r"rows? \d|cell [A-Z]+\d|columns? [\dA-Z]"
DAMAGES = {
    "a thousands separator": (partial(number, value="1,234.5"), CELL),
    "a decimal comma": (partial(number, value="1234,5"), CELL),
    "a word": (partial(number, value="n.a."), CELL),
    "a heading twice": (heading_twice, WHERE),
    "a heading renamed": (partial(heading, value="zzz"), WHERE),
    "a heading missing": (partial(heading, value=""), WHERE),
    "a row twice": (row_twice, WHERE),
    "a row missing": (row_missing, WHERE),
    "a total inside": (total_inside, WHERE + "|factor"),
    "the wrong way round": (transposed, WHERE + "|product"),
}
NONE_IN_LISTS = {"a row missing", "a total inside"}  # a cell that is 0 has no row; totals are none
CASES = [
    (form, damage)
    for form in READERS
    for damage in DAMAGES
    if not (form in LISTS and damage in NONE_IN_LISTS)
    and (form, damage) != ("edges", "a row twice")  # which adds up
]


def refused(ogas, tmp_path, source, reader, place):
    """The error of importing a source: one line with its place; nothing is left behind."""
    before = sorted(tmp_path.rglob("*"))
    ending = ogas("import", source, "t-stored", *reader.options)
    assert ending.code == 5, ending
    lines = ending.err.strip().splitlines()
    assert len(lines) == 1
    name = next(file for file in (source.name, MAKE_FILE) if file in lines[0])
    # Sums are looked for when all is read: a factor or product is named then, not its sheet.
    assert not reader.sheet or re.search(f"sheet {reader.sheet}|factor Total", lines[0]), lines
    assert re.search(place, lines[0].split(name, 1)[1]), lines
    assert sorted(tmp_path.rglob("*")) == before
    return lines[0]


@pytest.mark.parametrize(("form", "damage"), CASES)
def test_every_damage_is_refused_with_its_place_and_nothing_is_imported(
    ogas, tmp_path, form, damage
):
    harm, place = DAMAGES[damage]
    reader = harm(READERS[form])
    line = refused(ogas, tmp_path, reader.write(tmp_path), reader, place)
    assert ("thousands" in line) == (damage == "a thousands separator")


@pytest.mark.parametrize("form", ["square", "edges"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_than_commas_are_refused_in_our_own_forms(ogas, tmp_path, form, separator):
    reader = replace(READERS[form], separator=separator)
    line = refused(ogas, tmp_path, reader.write(tmp_path), reader, "row 1")
    assert "save it with commas" in line


@pytest.mark.parametrize("form", READERS)
def test_the_undamaged_file_is_imported(ogas, tmp_path, form):
    source = READERS[form].write(tmp_path)
    assert ogas("import", source, "t-stored", *READERS[form].options, "--json").code == 0


@pytest.mark.parametrize("form", [form for form, reader in READERS.items() if reader.is_text])
def test_utf_16_is_refused_and_latin_1_never_taken_silently(ogas, tmp_path, form):
    reader = READERS[form]
    source = reader.write(tmp_path, "utf-16")
    assert "UTF-16; save it as UTF-8" in refused(ogas, tmp_path, source, reader, "row 1")
    text = reader.text().replace("A01", "Café").replace("wheat", "blé")
    (tmp_path / reader.file).write_bytes(text.encode("latin-1"))
    if form in ("square", "edges"):  # our own forms are UTF-8
        assert "not UTF-8" in refused(ogas, tmp_path, source, reader, r"row \d, column \d")
        return
    if form == "pymrio":
        for name in ("Y", "x", "unit", "satellite/F"):
            file = tmp_path / "t" / f"{name}.txt"
            file.write_bytes(file.read_text().replace("A01", "Café").encode("latin-1"))
    said = ogas("import", source, "t-stored", *reader.options).out
    assert "not UTF-8, read as Latin-1: look at the names, first in row" in " ".join(said.split())
