"""The published layouts there are, and by what a file gives itself away.

pymrio      a folder or zip in pymrio's layout: EXIOBASE 3 and whatever pymrio saved
icio        OECD Inter-Country Input-Output, CSV
figaro      Eurostat FIGARO, CSV, matrix or flat
wiod        WIOD releases 2013 and 2016, .xlsx or .xlsb
niot        national tables that tell imports: WIOD's, .xlsx, or a CSV with a column Origin
bea         US BEA, a make or supply, and a use workbook: of the pair, a model makes a table
brightway   a datapackage of Brightway, folder or zip
5yearplan   flows of Cockshott's five-year plans, CSV
plecpr      prices by bar code, text
dep1ex      councils of a participatory economy, Clojure, packed by gzip or not
"""

import csv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ogas.datasets.found import Found, reading
from ogas.datasets.published.archive import Archive, only_text
from ogas.datasets.published.bea import is_bea, read_bea
from ogas.datasets.published.brightway import is_brightway, read_brightway
from ogas.datasets.published.dep1ex import is_dep1ex, read_dep1ex
from ogas.datasets.published.figaro import is_figaro, read_figaro
from ogas.datasets.published.five_years import is_five_years, read_five_years
from ogas.datasets.published.icio import is_icio, read_icio
from ogas.datasets.published.niot import is_niot, is_niot_book, read_niot
from ogas.datasets.published.plecpr import is_plecpr, read_plecpr
from ogas.datasets.published.pymrio import is_pymrio, read_pymrio
from ogas.datasets.published.wanted import Wanted
from ogas.datasets.published.wiod import read_wiod
from ogas.datasets.published.workbook import WORKBOOKS

PUBLISHED: Mapping[str, Callable[[Path, Wanted], Found]] = {
    "pymrio": read_pymrio,
    "icio": read_icio,
    "figaro": read_figaro,
    "wiod": read_wiod,
    "niot": read_niot,
    "bea": read_bea,
    "brightway": read_brightway,
    "5yearplan": read_five_years,
    "plecpr": read_plecpr,
    "dep1ex": read_dep1ex,
}
PAIRS = ("bea",)  # supply-use pairs, which need a model
OF_YEARS = ("bea", "niot")  # files of several years
OF_IMPORTS = ("niot",)  # tables that tell imports from domestic products
BY_HEADINGS = {
    "icio": is_icio,
    "figaro": is_figaro,
    "niot": is_niot,
    "5yearplan": is_five_years,
    "plecpr": is_plecpr,
}


def recognised(source: Path) -> str | None:
    """Return the published layout of a file or folder, where it is unmistakable."""
    with reading(source):
        if source.exists() and is_bea(source):
            return "bea"
        if is_dep1ex(source):
            return "dep1ex"
        if source.is_dir() or zipfile.is_zipfile(source):
            if source.suffix.lower() in WORKBOOKS:
                return "niot" if is_niot_book(source) else "wiod"
            if is_brightway(Archive.of(source)):
                return "brightway"
            if is_pymrio(source):
                return "pymrio"
        if source.is_dir() or not _has_text(source):
            return None
        with only_text(source) as stream:
            line = stream.readline().decode("utf-8-sig", errors="replace")
        head = [name.strip() for name in next(csv.reader([line]), [])]
        return next((form for form, fits in BY_HEADINGS.items() if fits(head)), None)


def _has_text(source: Path) -> bool:
    if zipfile.is_zipfile(source):
        return any(name.lower().endswith((".csv", ".txt")) for name in Archive.of(source).names)
    return source.suffix.lower() in (".csv", ".txt")
