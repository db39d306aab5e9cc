"""What was promised: counts from the design, to hold the measured ones against.

Passes to 3, 6 and 10 figures on S1-S4 of the gallery (20,000 products). Sources:

- certified, all passes counted, from nothing but what the name says: DESIGN.md §4, "Measured on
  S1-S4 of reference/gallery.md". Signed and imports are one measurement there, of both together.
- with ``*``, until the true error was small enough, without any proof (which costs two to four
  passes more): reference/numerics.md §2 (yesterday's witness: "x alone, w known") and §3 (the table
  of methods; with two sweeps, exchanges with prices that were certified before).
- ``order found``: numerics.md §2, "random order inside blocks", certified.
"""

CASES = ("S1", "S2", "S3", "S4")

KNOWN = "order known"
FOUND = "order found"
HIDDEN = "blocks by METIS, order found"
MIXED = "units=mixed"
MIXED_UNPRICED = "units=mixed, labour withheld"
MIXED_NOTHING = "units=mixed, labour and order withheld"
SIGNED = "signed"
IMPORTS = "imports"
BOTH = "signed and imports"
HOUSEHOLDS = "households"
VALUES_KNOWN = "values, order known"
VALUES_FOUND = "values, order found"
TWICE = "two sweeps to an exchange"
WARM = "yesterday's witness"

_TABLE: dict[str, tuple[str, str, str, str]] = {
    "jacobi": ("21/38/59*", "120/232/382*", "79/147/238*", "178/346/571*"),
    "gauss-seidel": ("10/17/27*", "49/96/158*", "34/63/103*", "37/70/114*"),
    "anderson": ("8/11/17*", "10/19/31*", "14/24/37*", "16/27/44*"),
    "block-jacobi": ("13/22/35*", "63/123/203*", "35/65/105*", "38/72/116*"),
    KNOWN: ("10/14/20", "14/20/27", "14/19/27", "13/19/26"),
    FOUND: ("11/15/21", "16/22/30", "16/23/32", "17/25/34"),
    MIXED: ("10/14/20", "14/20/27", "14/19/27", "13/19/26"),
    MIXED_UNPRICED: ("11/15/20", "15/21/28", "14/20/27", "14/20/27"),
    BOTH: ("11/15/20", "17/22/30", "15/23/33", "16/22/29"),
    VALUES_KNOWN: ("8/12/17", "11/16/24", "12/20/28", "13/20/27"),
    TWICE: ("7/11/15*", "9/13/18*", "7/10/16*", "7/10/14*"),
    WARM: ("7/11/16*", "8/13/21*", "8/14/22*", "8/13/21*"),
}


def promised(way: str, case: str) -> str:
    """Return what the design says of one way on one case; empty if nothing.

    Examples
    --------
    >>> promised("order known", "S4"), promised("tree", "S1")
    ('13/19/26', '')
    """
    return _TABLE[way][CASES.index(case)] if way in _TABLE else ""
