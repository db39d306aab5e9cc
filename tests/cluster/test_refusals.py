"""Bad input at the command line: one line, the agreed code, and nothing half-written."""

import contextlib
import io
import json

import numpy as np
import problems
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stored_tables import small_table

from ogas.cluster.cli import COMMANDS, main
from ogas.datasets.atomic import exclusive
from ogas.datasets.forms import write
from ogas.datasets.store import publish

MTX = "%%MatrixMarket matrix coordinate real general\n"
BAD_FILES = {
    "not square": ("t.csv", ",a,b\na,1,2\n", [], "not square"),
    "NaN": ("t.csv", ",a,b\na,nan,2\nb,3,4\n", [], "row 2: a is 'nan', not a finite number"),
    "infinity": ("t.csv", ",a,b\na,1,inf\nb,3,4\n", [], "row 2: b is 'inf', not a finite number"),
    "a product twice": ("t.csv", ",a,a\na,1,2\na,3,4\n", [], "two columns are called 'a'"),
    "negative output": ("t.csv", ",a,output\na,.5,-1\n", [], "gross output is negative (-1)"),
    "flows of nothing": (
        *("t.csv", ",a,b\na,1,2\nb,3,4\n", ["--kind", "flows"]),
        "neither output nor demand is known",
    ),
    "unknown product": (
        *("t.csv", "supplier,user,quantity\na,z,1\n", ["--products", "list.csv"]),
        "there is no product 'z'",
    ),
    "cut Matrix Market": ("t.mtx", MTX + "2 2 2\n1 1 0.5\n", [], "its sizes say 2"),
    "altered Matrix Market": ("t.mtx", MTX + "2 2 1\n1 x 0.5\n", [], "truncated, altered"),
    "empty": ("t.csv", "", [], "the file is empty"),
    "not a zip": ("t.npz", "PK\x03\x04 and so on", [], "cannot be read"),
    "of another form": ("t.npz", ",a\na,1\n", ["--format", "mtx"], "does not begin with %%Matrix"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_and_no_table_begun(ogas, tmp_path, contents, name):
    file, text, options, said = BAD_FILES[name]
    (tmp_path / file).write_text(text)
    (tmp_path / "list.csv").write_text("id\na\nb\n")
    before = contents()
    ending = ogas("import", file, "new", *options, "--json")
    assert ending.code == ending.facts["code"] == 5
    assert said in ending.err
    assert file in ending.facts["where"]
    assert contents() == before


def test_a_bad_file_leaves_the_table_as_it_was(ogas, stored, tmp_path, contents):
    stored("two_sectors")
    (tmp_path / "t.csv").write_text(",a,b\na,1,2\n")
    before = contents()
    assert ogas("import", "t.csv", "t").code == 5
    assert contents() == before


def test_a_cut_exchange_file_is_refused_wherever_it_is_cut(ogas, tmp_path):
    write(small_table(), tmp_path / "t.npz")
    whole = (tmp_path / "t.npz").read_bytes()
    for length in range(0, len(whole), len(whole) // 7):
        (tmp_path / "t.npz").write_bytes(whole[:length])
        assert ogas("import", "t.npz", "new").code == 5
        assert not (tmp_path / "new").exists()


BAD_DEMANDS = {
    "unknown product": ("id,demand\nz,1\n", "row 2: there is no product 'z'"),
    "product twice": ("id,demand\n0,1\n0,2\n", "row 3: the product '0' is listed twice"),
    "not a number": ("id,demand\n0,nan\n", "row 2: demand is 'nan', not a finite number"),
    "crossed bounds": ("id,demand,lower\n0,1,2\n", "row 2: lower 2 is above demand 1"),
    "no column": ("id,amount\n0,1\n", "no column demand"),
    "empty": ("", "the file is empty"),
    "binary": ("\x00\x01\x02", ""),
}


@pytest.mark.parametrize("name", BAD_DEMANDS)
def test_a_bad_demand_is_refused_and_the_old_plan_kept(ogas, stored, tmp_path, contents, name):
    text, said = BAD_DEMANDS[name]
    stored("two_sectors")
    ogas("plan", "t", "-o", "p")
    (tmp_path / "f.csv").write_text(text)
    before = contents()
    ending = ogas("plan", "t", "-o", "p", "--demand", "f.csv", "--json")
    assert ending.code == 5
    assert said in ending.err
    assert "f.csv" in ending.facts["where"]
    assert contents() == before


# ---- wrong usage --------------------------------------------------------------------------------

REFUSED = {
    "no figures": (["plan", "us-2021", "--digits", 0], "figures go from 1 to 15, not 0"),
    "too many figures": (["plan", "us-2021", "--digits", 99], "figures go from 1 to 15, not 99"),
    "a figure too many": (["price", "us-2021", "--digits", 16], "figures go from 1 to 15, not 16"),
    "fewer than no threads": (["plan", "us-2021", "--threads", -1], "-1 is not in the range x>=0"),
    "a demand for prices": (["price", "us-2021", "--demand", "f.csv"], "No such option"),
    "no such method": (["plan", "us-2021", "--method", "magic"], "'magic' is not one of 'auto'"),
    "delta above 1": (["plan", "us-2021", "--delta", 2], "uncertainty in [0, 1), not 2"),
    "delta below 0": (["plan", "us-2021", "--delta", -1], "uncertainty in [0, 1), not -1"),
    "delta not a number": (
        ["price", "us-2021", "--delta", "nan"],
        "uncertainty in [0, 1), not nan",
    ),
    "a factor it lacks": (
        ["price", "us-2021", "--factor", "co2"],
        "no factor 'co2'; it has: labour",
    ),
    "memory beyond words": (
        ["plan", "us-2021", "--memory", "9" * 400],
        "is not an amount of memory",
    ),
    "memory of two dots": (
        ["plan", "us-2021", "--memory", "1.2.3GB"],
        "is not an amount of memory",
    ),
    "fewer than no products": (["show", "p", "--top", -1], "-1 is not in the range x>=0"),
    "a product it lacks": (["show", "p", "--product", "Farm"], "did you mean: Farms"),
    "a table that is a plan": (["plan", "p"], "there is no table here"),
    "a table that is a file": (["check", "file"], "there is no table here"),
    "a table that is an empty folder": (["info", "empty"], "there is no table here"),
    "a table that is nowhere": (["plan", "nowhere"], "or a bundled table: us-2021"),
    "a plan that is a table": (["verify", "t"], "there is no plan here"),
    "a plan that is a file": (["show", "file"], "there is no plan here"),
    "a plan that is an empty folder": (["verify", "empty"], "there is no plan here"),
    "a plan over a table": (["plan", "us-2021", "-o", "t"], "not a plan stands here"),
    "a plan over a file": (["plan", "us-2021", "-o", "file"], "not a plan stands here"),
    "a plan over an empty folder": (["plan", "us-2021", "-o", "empty"], "not a plan stands here"),
    "a plan below a file": (["plan", "us-2021", "-o", "file/p"], "this is a file, not a folder"),
    "a plan deep below a file": (["price", "us-2021", "-o", "file/x/y/p"], "this is a file"),
    "a table over a plan": (
        ["generate", "sectors", "p", "--products", 90],
        "not a table directory",
    ),
    "a table over a file": (["import", "t.npz", "file"], "not a table directory"),
    "an export below a file": (["export", "t", "file/t.npz"], "file"),
    "an export to no form": (["export", "t", "t.pdf"], "names no known form"),
    "a CSV over a folder": (["show", "p", "--csv", "empty"], "irectory"),
    "an unknown recipe": (["generate", "magic", "new"], "unknown recipe 'magic'"),
    "a radius below 0": (["generate", "sectors", "new", "--radius", -1], "radius must be positive"),
    "rows below a file": (["bench", "start", "--quick", "-o", "file"], "a file stands here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_usage_is_refused_and_changes_nothing(
    ogas, stored, tmp_path, contents, monkeypatch, name
):
    words, said = REFUSED[name]
    stored("two_sectors")
    write(problems.solvable("two_sectors"), tmp_path / "t.npz")
    (tmp_path / "file").write_text("a diary")
    (tmp_path / "empty").mkdir()
    ogas("plan", "us-2021", "-o", "p")
    monkeypatch.setattr("ogas.benchmarks.start._seconds", lambda *_: 1.0)
    before = contents()
    ending = ogas(*words, "--json")
    assert ending.code == 2, ending.err
    assert said in ending.err
    assert ogas(*words).code == 2
    assert contents() == before


def test_a_table_without_demand_needs_one(ogas, stored, tmp_path):
    from dataclasses import replace

    stored(replace(problems.solvable("two_sectors"), demand=None))
    ending = ogas("plan", "t")
    assert ending.code == 2
    assert ending.err == "ogas: the table has no final demand; give one with --demand FILE\n"
    (tmp_path / "f.csv").write_text("id,demand\n0,6\n1,12\n")
    assert ogas("plan", "t", "--demand", "f.csv").code == 0
    assert ogas("check", "t").code == 0
    assert ogas("price", "t", "--json").facts["total"] is None


def test_a_table_without_factors_cannot_be_priced(ogas, stored):
    from dataclasses import replace

    stored(replace(problems.solvable("two_sectors"), factors={}, factor_units={}))
    ending = ogas("price", "t")
    assert ending.code == 2
    assert "the table has no factor to price in" in ending.err


# ---- damage, newer formats, locks, memory -------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "price", "check", "info", "export"])
def test_a_damaged_table_is_refused(ogas, stored, tmp_path, contents, command):
    stored("two_sectors")
    for chunk in (tmp_path / "t").glob("blocks/*/own/data/c/0"):
        chunk.write_bytes(chunk.read_bytes()[:-1])
    for manifest in (tmp_path / "t" / "versions").iterdir() if command == "info" else ():
        manifest.write_text(manifest.read_text().replace("e", "f"))
    before = contents()
    words = ["t.npz"] if command == "export" else []
    ending = ogas(command, "t", *words, "--json")
    assert ending.code == 5
    assert "altered" in ending.err
    assert contents() == before


def test_newer_formats_say_upgrade(ogas, stored, tmp_path):
    stored("two_sectors")
    ogas("plan", "t", "-o", "p")
    file = tmp_path / "p" / "zarr.json"
    file.write_text(file.read_text().replace('"ogas_plan": 2', '"ogas_plan": 3'))
    for command in ("verify", "show"):
        ending = ogas(command, "p")
        assert ending.code == 5
        assert "upgrade ogas" in ending.err
    pointer = tmp_path / "t" / "CURRENT"
    pointer.write_text(json.dumps(json.loads(pointer.read_text()) | {"format": 3}))
    for command in ("plan", "info", "check"):
        ending = ogas(command, "t")
        assert ending.code == 5
        assert "upgrade ogas" in ending.err


def test_a_table_that_another_run_is_writing_is_refused(ogas, stored, tmp_path, contents):
    stored("two_sectors")
    write(problems.solvable("three_sectors"), tmp_path / "t.npz")
    before = contents()
    with exclusive(tmp_path / "t" / "lock"):
        ending = ogas("import", "t.npz", "t", "--json")
        assert ending.code == ending.facts["code"] == 8
        assert "another run is writing here; wait for it to end" in ending.err
        assert ogas("generate", "sectors", "t", "--products", 90).code == 8
        assert ogas("plan", "t", "-o", "p").code == 0  # readers need no lock
    assert {path for path in contents() if "p" not in path.parts} == set(before)


def test_too_little_memory_is_refused_with_the_number_that_suffices(ogas, stored, tmp_path):
    stored("sectors:S1")
    for command in ("plan", "price"):
        ending = ogas(command, "t", "--memory", "1MB", "-o", "p", "--json")
        assert ending.code == ending.facts["code"] == 6
        assert "and 1,000,000 are allowed" in ending.facts["message"]
        needed = int(ending.facts["advice"].split()[2])
        assert ogas(command, "t", "--memory", needed - 1, "-o", "p").code == 6
        assert not (tmp_path / "p").exists()
        assert ogas(command, "t", "--memory", needed, "-o", f"p-{command}").code == 0


def test_a_disk_that_is_full_is_said_plainly(ogas, monkeypatch, contents):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zarr.storage._local._put", full)
    for words in (
        ("plan", "us-2021"),
        ("generate", "sectors", "t", "--products", 90, "--workers", 1),
    ):
        ending = ogas(*words, "--json")
        assert ending.code == 5
        assert "the disk is full; nothing was changed; free some space" in ending.err
        assert contents() == {}


# ---- anything at all ----------------------------------------------------------------------------

OPTIONS = (
    *("--json", "--digits", "--delta", "--method", "--memory", "--demand", "-o", "--factor"),
    *(
        "--top",
        "--product",
        "--csv",
        "--format",
        "--kind",
        "--help",
        "--quick",
        "--",
        "-x",
        "--radius",
    ),
)
WORDS = st.one_of(
    st.sampled_from([*COMMANDS, *OPTIONS]),
    st.sampled_from(
        ["us-2021", "p", "t", "t.npz", "file", ".", "..", "/", "", "nan", "1e999", "-1"]
    ),
    st.sampled_from(["jacobi", "square", "flows", "labour", "sectors", "ccm:x", "sectors,units=y"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00/"), max_size=5),
    st.integers(-3, 40).map(str),
)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A folder with a table, a plan and other things."""
    folder = tmp_path_factory.mktemp("furnished")
    publish(folder / "t", problems.solvable("two_sectors"))
    write(problems.solvable("two_sectors"), folder / "t.npz")
    (folder / "file").write_text("id,demand\n0,1\n")
    with contextlib.chdir(folder):
        assert spoken(["plan", "t", "-o", "p"])[0] == 0
    return folder


def spoken(words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue(), err.getvalue()


@given(st.sampled_from([*COMMANDS]), st.lists(WORDS, max_size=5))
@example("plan", ["us-2021", "--demand", "file", "-o", "."])
@example("show", ["p", "--top", "99999999999999999999"])
@example("show", ["p", "--csv", ""])
@example("import", ["t.npz", ""])
@example("export", ["t", ""])
@example("info", [""])
@example("info", ["x" * 5000])
@example("plan", ["t", "-o", "x" * 300])
@example("plan", ["t", "-o", ""])
@example("plan", ["t\n\nu"])
@example("plan", ["t", "--demand", "/"])
@example("price", ["t", "--factor", ""])
@example("generate", ["sectors", "new", "--products", "40", "--inputs", "nan"])
@example("generate", ["sectors", "new", "--products", "40", "--seed", "-1"])
@example("generate", ["sectors", "new", "--products", "40", "--seed", "9" * 40])
@example("generate", ["sectors", "new", "--products", "40", "--radius", "inf"])
def test_no_words_lead_to_a_traceback(furnished, command, words):
    if (command == "bench" and {"start", "methods"} & set(words)) or "--products" in words[:-4]:
        return
    if command == "generate":  # never as large as a case says
        words = [*words, "--products", "40", "--workers", "1"]
    with contextlib.chdir(furnished):
        code, out, err = spoken([command, *words])
    assert type(code) is int
    assert code in (0, 2, 3, 4, 5, 6, 8), err
    assert "Traceback" not in out + err
    assert err.count("\n") == (0 if code == 0 else 1), err
    if "--json" in words and "--help" not in words:
        assert isinstance(json.loads(out), dict)
        assert out.count("\n") == 1


def test_numbers_at_the_edge_of_what_floats_hold_are_shown(ogas, stored):
    rows = np.array([[0, 1e-140], [1e139, 0]])
    stored(problems.table_of(rows, demand=[1e150, 1e-140], labour=[1e-150, 1e150]))
    for command in ("plan", "price", "check", "info"):
        assert ogas(command, "t").code in (0, 3, 4)
