"""What every test shares: how hard to search, a clean environment, and the published tables."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# OGAS_DIGITS and the like set the defaults of commands; a test must not depend on who runs it.
OF_TESTS = {"OGAS_DATA", "OGAS_MARIO", "OGAS_PYMRIO", "OGAS_ALL_STEPS"}
for name in [name for name in os.environ if name.startswith("OGAS_") and name not in OF_TESTS]:
    del os.environ[name]
# The jobs of whoever runs the tests are no business of theirs; this folder is never made.
os.environ["OGAS_JOBS"] = str(Path(tempfile.gettempdir()) / f"ogas-tests-{os.getpid()}" / "jobs")

DATA = Path(os.environ["OGAS_DATA"]) if os.environ.get("OGAS_DATA") else None


def square_tables() -> list[Path]:
    """Tables in the exchange form; the rectangular supply-use pairs beside them are not."""
    return sorted(path for path in DATA.glob("*.npz") if "_sut" not in path.stem)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of published tables; without one, the test is skipped."""
    if DATA is None:
        pytest.skip("OGAS_DATA names no folder of published tables")
    return DATA


@pytest.fixture(scope="session")
def published_tables(data_folder: Path) -> list[Path]:
    """Every published square table, for a test that takes all or chooses some."""
    return square_tables()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a ``published_table`` once for each."""
    if "published_table" not in metafunc.fixturenames:
        return
    if DATA is None:
        skip = pytest.mark.skip(reason="OGAS_DATA names no folder of published tables")
        tables = [pytest.param(None, marks=skip, id="OGAS_DATA unset")]
    else:
        tables = [pytest.param(path, id=path.stem) for path in square_tables()]
    metafunc.parametrize("published_table", tables)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one test more at a time than there are cores: many wait for other processes."""
    return (os.cpu_count() or 1) + 1
