"""Where the sources are, for the tests of the house around the code."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: The folders that are installed as ``ogas.NAME``, from the lowest floor up.
FOLDERS = ("kernels", "engine", "datasets", "cluster", "benchmarks")


def package_files() -> list[str]:
    """List what a person wrote in the five folders, as ``engine/table.py``."""
    return sorted(
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    )


def module_names() -> list[str]:
    """List the modules by the names they are imported under, as ``ogas.engine.table``."""
    files = [file for file in package_files() if file.endswith(".py")]
    return ["ogas." + file[:-3].replace("/", ".").removesuffix(".__init__") for file in files]
