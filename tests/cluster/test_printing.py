"""Tables in a terminal: one line for a row, however narrow it is; whole names everywhere else."""

import io
from dataclasses import replace

import numpy as np
import problems
import pytest
from rich.console import Console

from ogas.cluster.lettering import ELLIPSIS, shortened, wide
from ogas.cluster.printing import LEAST, Column, print_table

NAMES = [
    "Motor vehicles, bodies and trailers, of all kinds and uses: making of their parts",
    "Motor vehicles, bodies and trailers, of all kinds and uses: repair of their parts",
    "石油加工、炼焦和核燃料加工业及其他能源产品制造业和电力热力的生产和供应业",
    "Housing [n.e.c.]",
]
HEADS = ["backward", "forward supply", "forward demand", "backward index", "forward supply index"]


def printed(width, is_terminal, count=5):
    """The lines of a table of four names."""
    stream = io.StringIO()
    plain = {"color_system": None, "markup": False}
    out = Console(file=stream, width=width, force_terminal=is_terminal, **plain)
    numbers = [f"{one:,.5f}" for one in np.random.default_rng(problems.SEED).random(len(NAMES))]
    columns = [Column(head, numbers) for head in HEADS[:count]]
    print_table(out, Column("product", NAMES), columns)
    return stream.getvalue().splitlines(), numbers


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_product_is_one_line_that_fits(width):
    lines, numbers = printed(width, True)
    assert max(map(wide, lines)) <= width
    tables = sum("product" in line for line in lines)
    for number in numbers:
        rows = [line for line in lines if number in line]
        assert len(rows) == tables
        assert sum(line.count(number) for line in rows) == len(HEADS)


def test_a_name_that_is_too_long_keeps_its_beginning_and_its_end():
    lines, _ = printed(80, True, count=2)
    first, second = (line for line in lines if line.startswith("Motor"))
    assert wide(first.split("  ")[0]) > LEAST
    for line, end in ((first, "making of their parts"), (second, "repair of their parts")):
        assert end.endswith(line.split(ELLIPSIS)[1].split("  ")[0].removeprefix(" "))
    assert first.split("  ")[0] != second.split("  ")[0]


def test_a_pipe_has_whole_names_and_one_table():
    lines, _ = printed(100_000, False)
    assert len(lines) == 1 + len(NAMES)
    assert all(line.startswith(name) for line, name in zip(lines[1:], NAMES, strict=True))


def test_what_is_not_for_a_terminal_has_whole_names(ogas, stored, tmp_path):
    table = problems.solvable("two_sectors")
    stored(replace(table, names=np.array(NAMES[:2])))
    words = ("analyse", "t", "--what", "linkages", "--csv", "all.csv")
    said = ogas(*words).out
    facts = ogas(*words, "--json").facts
    kept = (tmp_path / "all.csv").read_text(encoding="utf-8")
    for name in NAMES[:2]:
        assert f" {name}  " in said
        assert name in kept
        assert name in {one["name"] for one in facts["largest"]}


@pytest.mark.parametrize("most", [1, 2, 7, 20, 500])
def test_no_text_is_wider_than_it_may_be(most):
    for name in NAMES:
        short = shortened(name, most)
        assert wide(short) <= most
        assert (short == name) == (wide(name) <= most)
