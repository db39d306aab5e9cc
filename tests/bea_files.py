"""Small make, supply and use workbooks in the layout of BEA, made here: real ones are not at hand.

Summary: codes above names, totals without a code. Detail: names above codes, totals with one.
"""

import numpy as np

PRODUCTS = ["1111A0", "22", "S00401", "S00300"]
INDUSTRIES = ["1111A0", "22", "GSLGE"]
NAMES = {
    "1111A0": "Oilseed farming /1/",
    "22": "Utilities",
    "GSLGE": "Schools",
    "S00401": "Scrap",
    "S00300": "Noncomparable imports",
}
MAKE = np.array([[90.0, 5, 1, 0], [0, 120, 2, 0], [0, 10, 0, 0]])
USE = np.array([[12.0, 8, 1], [10, 30, 3], [0, 2, 0], [0, 4, 2]])
FINAL = np.array([[80.0, -11], [82, 10], [1, 0], [0, -6]])
ADDED = np.array([[40.0, 50, 4], [4, 8, 0], [30, 20, 0]])
FINAL_CODES, ADDED_CODES = ["F01000", "F05000"], ["V00100", "V00200", "V00300"]
BLANK = {0.0: "..."}


def figures(row):
    """Cells as published: a zero is dots here, and nothing in every other column."""
    return [value or ("..." if k % 2 else None) for k, value in enumerate(row)]


def sheet(rows, columns, values, *, corner, is_summary):
    """The rows of a sheet: (code, name) of every line, and the numbers."""
    codes, names = map(list, zip(*columns, strict=True))
    title = [["The Make or Use of Commodities"], ["(Millions of dollars)"], ["Bureau"], []]
    if is_summary:
        head = [[], [None, corner, *codes], ["IOCode", "Name", *names]]
    else:
        description = corner.split("/")[0].replace("ies", "y") + " Description"
        head = [[None, None, *names], ["Code", description, *codes]]
    body = [[code, name, *figures(row)] for (code, name), row in zip(rows, values, strict=True)]
    notes = [[], ["Legend / Footnotes:"], ["Note. Detail may not add to total due to rounding."]]
    return [*title, *head, *body, *notes]


def lines(codes, names):
    return [(code, names.get(code, f"name of {code}")) for code in codes]


def total(code, name, is_summary):
    return (None if is_summary else code, name)


def make_rows(V=MAKE, industries=INDUSTRIES, products=PRODUCTS, *, is_summary=False, names=NAMES):
    """Industries down, commodities across, totals on both edges."""
    rows = [*lines(industries, names), total("T007", "Total Commodity Output", is_summary)]
    columns = [*lines(products, names), total("T008", "Total Industry Output", is_summary)]
    values = np.vstack([np.column_stack([V, V.sum(axis=1)]), [*V.sum(axis=0), V.sum()]])
    return sheet(rows, columns, values, corner="Industries/Commodities", is_summary=is_summary)


def use_rows(pair=(USE, FINAL, ADDED), labels=None, *, is_summary=False, names=NAMES):
    """Commodities and value added down, industries and final uses across, with every total."""
    U, F, W = pair
    products, industries, final, added = labels or (PRODUCTS, INDUSTRIES, FINAL_CODES, ADDED_CODES)
    if is_summary:
        final, added = [code[:4] for code in final], [code[:4] for code in added]
    short = {"V00100": "Compensation of employees", "V001": "Compensation of employees"}
    rows = [
        *lines(products, names),
        total("T005", "Total Intermediate", is_summary),
        *lines(added, short),
        total("T006", "Total Value Added", is_summary),
        total("T008", "Total Industry Output", is_summary),
    ]
    columns = [
        *lines(industries, names),
        total("T001", "Total Intermediate", is_summary),
        *lines(final, {}),
        total("T004", "Total Final Uses (GDP)", is_summary),
        total("T007", "Total Commodity Output", is_summary),
    ]
    u, f = U.sum(axis=1), F.sum(axis=1)
    above = np.column_stack([U, u, F, f, u + f])
    below = np.vstack([W, W.sum(axis=0), U.sum(axis=0) + W.sum(axis=0)])
    below = np.column_stack([below, np.zeros((len(below), F.shape[1] + 3))])
    values = np.vstack([above, above.sum(axis=0), below])
    return sheet(rows, columns, values, corner="Commodities/Industries", is_summary=is_summary)


def write_book(file, sheets, change=None):
    """Write a workbook with a readme and these sheets; ``change`` is by row and column."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "ReadMe"
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
        for (row, column), value in (change or {}).items():
            page.cell(row, column).value = value
    file.parent.mkdir(exist_ok=True)
    book.save(file)
    return file


def write_pair(folder, years=("2012", "2017"), *, is_summary=False):
    """Write both workbooks; every year but the last is ten times as large."""
    level = "1997-2021_Summary" if is_summary else "2007_2012_2017_Detail"
    made, used = {}, {}
    for year in years:
        k = 1.0 if year == years[-1] else 10.0
        made[year] = make_rows(MAKE * k, is_summary=is_summary)
        used[year] = use_rows((USE * k, FINAL * k, ADDED * k), is_summary=is_summary)
    return (
        write_book(folder / f"IOMake_Before_Redefinitions_{level}.xlsx", made),
        write_book(folder / f"IOUse_Before_Redefinitions_PRO_{level}.xlsx", used),
    )


# ---- the supply-use framework -------------------------------------------------------------------

# Farm goods, trade, trucks. Of the price of farm goods .6 is basic, .15 trade, .05 transport and .2
# taxes; of that of trucks .84 is basic and .16 taxes.
SOLD = ["111CA", "42", "484"]
SUPPLIED = {
    "MCIF": [20.0, 0, 3],
    "MADJ": [0, 0, -2],
    "Trade": [30, -30, 0],
    "Trans": [10, 0, -10],
    "MDTY": [10, 0, 0],
    "TOP": [40, 0, 4],
    "SUB": [-10, 0, 0],
}
OUTPUTS = np.diag([100.0, 40, 30])
PURCHASED = np.array([[60.0, 20, 20], [5, 0, 1], [10, 5, 0]])
FINALLY = np.array([[90.0, 10], [4, 0], [10, 0]])
VALUE = {"V001": [15.0, 10, 5], "T00OTOP": [3, 1, 0], "T00OSUB": [2, 0, 0], "V003": [9, 4, 4]}


def supply_rows(columns=None, order=(0, 1, 2), *, is_summary=True):
    """Commodities down; industries, imports, margins and taxes across, with their totals."""
    columns = columns or SUPPLIED
    bridge = np.array(list(columns.values())).T
    made = OUTPUTS.sum(axis=1)
    heads = [*lines(SOLD, {}), ("T007", "Total Commodity Output"), *lines(columns, {})]
    heads += [("T016", "Total product supply (purchaser prices)")]
    values = np.column_stack([OUTPUTS, made, bridge, made + bridge.sum(axis=1)])
    rows = [*[lines(SOLD, {})[k] for k in order], ("T017", "Total industry supply")]
    values = np.vstack([values[list(order)], values.sum(axis=0)])
    return sheet(rows, heads, values, corner="Commodities/Industries", is_summary=is_summary)


def purchases_rows(used=PURCHASED, *, is_summary=True):
    """Commodities and value added down; industries and final uses across, at purchasers' prices."""
    u, f = used.sum(axis=1), FINALLY.sum(axis=1)
    above = np.column_stack([used, u, FINALLY, u + f])
    value = np.array(list(VALUE.values()))
    total = np.array([1.0, 1, -1, 1]) @ value
    below = np.vstack([used.sum(axis=0), value, total, used.sum(axis=0) + total])
    below = np.column_stack([below, np.zeros((len(below), 4))])
    heads = [*lines(SOLD, {}), ("T001", "Total Intermediate"), *lines(["F010", "F040"], {})]
    heads += [("T019", "Total use of products")]
    rows = [*lines(SOLD, {}), ("T005", "Total Intermediate"), *lines(VALUE, {})]
    rows += [("VABAS", "Value added (basic prices)"), ("T018", "Total industry output (basic)")]
    corner = "Commodities/Industries"
    return sheet(rows, heads, np.vstack([above, below]), corner=corner, is_summary=is_summary)


def write_framework(folder, supply=None, use=None, *, is_summary=True):
    """Write a supply and a use workbook of 2017."""
    level = "Summary" if is_summary else "DET"
    supply = supply or supply_rows(is_summary=is_summary)
    use = use or purchases_rows(is_summary=is_summary)
    return (
        write_book(folder / f"Supply_Tables_2017_{level}.xlsx", {"2017": supply}),
        write_book(folder / f"Use_SUT_Framework_2017_{level}.xlsx", {"2017": use}),
    )
