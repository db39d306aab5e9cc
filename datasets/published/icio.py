"""The OECD's Inter-Country Input-Output tables: one CSV a year, million US dollars.

    V1,AUS_A01_02,...,ROW_T,AUS_HFCE,...,ROW_DPABR,OUT
    AUS_A01_02,11.2,...,0.1,48.5,...,0.3,95.4           products: region_industry
    ...
    TLS,0.5,...                                          taxes less subsidies on products
    VA,38.7,...                                          value added
    OUT,95.4,...                                         output

Editions differ, and all of these are read: ``OUT``, ``OUTPUT`` or ``TOTAL``; ``VA``, ``VALU``, or a
row of it for each region; ``AUS_TAXSUB`` ...; demand as ``AUS_HFCE`` or ``HFCE_AUS``; ``DISC``.
China and Mexico come split (CN1, CN2, MX1, MX2), and CHN and MEX are then empty but for final
demand: the parts are kept, the empty industries of the whole are not. Rows of one primary input for
several regions add up.

Source: OECD, ICIO editions 2016 to 2023, read me files. Yamano et al. (2023), OECD STI 2023/08.
"""

import re
from pathlib import Path

import numpy as np

from ogas.datasets.found import Found, reading
from ogas.datasets.published.accounts import Account, read_account
from ogas.datasets.published.archive import only_text
from ogas.datasets.published.labelled import Edges, Label, TextGrid
from ogas.datasets.published.layout import Kind, Layout, Valuation
from ogas.datasets.published.wanted import Wanted
from ogas.engine.errors import InvalidInputError

DEMAND = {"HFCE", "NPISH", "NPS", "GGFC", "GFCF", "INVNT", "INV", "DIRP", "DPABR", "FD", "P33"}
DEMAND |= {"DISC", "NONRES", "CONS_NONRES", "CONS_ABR"}
OUTPUT = {"OUT", "OUTPUT", "TOTAL"}
FACTORS = re.compile(r"(VA|VALU|TLS|TXS\w*|\w*TAX\w*)")
SPLIT = {"CHN": re.compile(r"CN\d"), "MEX": re.compile(r"MX\d")}
UNIT = "million US$"
VALUATION = Valuation("basic prices", re.compile(r"TLS|TXS\w*|\w*TAX\w*"))


def is_icio(head: list[str]) -> bool:
    """Return whether these are the column labels of such a table."""
    kinds = [_kind((label,)) for label in head[1:] if "_" in label]
    return Kind.PRODUCT in kinds and Kind.DEMAND in kinds


def read_icio(source: Path, wanted: Wanted) -> Found:
    """Read a year of the tables, a CSV or a zip of one.

    Raises
    ------
    InvalidInputError
        Naming the row and the column.
    """
    layout = Layout(_kind, _kind, _product, lambda label: label[0].rpartition("_")[2], VALUATION)
    with reading(source), only_text(source) as stream:
        account = read_account(TextGrid(stream, Edges()), layout, wanted)
        years = re.findall(r"(?:19|20)\d\d", source.stem)
        meta = {"title": f"OECD ICIO {' '.join(years)}".strip(), "source": source.name}
        return _without_wholes(account).found(UNIT, meta)


def _kind(label: Label) -> Kind:
    name = label[0].strip()
    if name in OUTPUT:
        return Kind.OUTPUT
    if FACTORS.fullmatch(_code(name)):
        return Kind.FACTOR
    return Kind.DEMAND if _is_demand(name) else Kind.PRODUCT


def _code(name: str) -> str:
    return name.partition("_")[2] or name


def _is_demand(name: str) -> bool:
    """Return whether a column is final demand; the 2016 edition has the region last."""
    return bool({name, _code(name), name.partition("_")[0]} & DEMAND)


def _product(label: Label) -> tuple[str, str]:
    region, _, industry = label[0].strip().partition("_")
    if not industry:
        raise InvalidInputError(
            f"{label[0]!r} is neither region_industry nor a part of demand or value added known "
            "in this layout",
            advice="rename it as the OECD does: AUS_A01_02, AUS_HFCE, VA, TLS, OUT",
        )
    return region, industry


def _without_wholes(account: Account) -> Account:
    """Leave out the empty industries of regions that are there in parts."""
    regions = {region for region, _ in account.products}
    wholes = {
        whole: sorted(region for region in regions if part.fullmatch(region))
        for whole, part in SPLIT.items()
    }
    split = {whole: parts for whole, parts in wholes.items() if parts}
    ours = np.array([region in split for region, _ in account.products])
    dropped = np.flatnonzero(ours & account.is_empty())
    if not dropped.size:
        return account
    names = "; ".join(f"{whole} is there as {', '.join(parts)}" for whole, parts in split.items())
    return account.without(dropped, f"{names}: {dropped.size:,} empty industries left out")
