"""Small files in published layouts, made from their documentation: nobody may pass on real ones.

The economy is two countries, AUS and USA, with two sectors each. Z, the final use of households and
investment by country, and value added are made up; output is the row sum, and value added what the
column leaves of it, so that the account balances as a published one does.
"""

import csv
import json
import zipfile

import numpy as np

COUNTRIES = ("AUS", "USA")
SECTORS = ("A01", "C10")
PRODUCTS = [(country, sector) for country in COUNTRIES for sector in SECTORS]
Z = np.array([[10.0, 20, 1, 2], [5, 30, 3, 4], [2, 1, 40, 50], [0, 6, 20, 80]])
Y = np.array([[30.0, 5, 6, 1], [40, 10, 2, 1], [3, 0.5, 70, 20], [1, 2, 90, 60]])
CATEGORIES = [(country, part) for country in COUNTRIES for part in ("HFCE", "GFCF")]
X = Z.sum(axis=1) + Y.sum(axis=1)
VALUE_ADDED = X - Z.sum(axis=0)
A = Z / X
IDS = [f"{country}|{sector}" for country, sector in PRODUCTS]


def write_rows(file, rows, separator=","):
    """Write a text file of cells."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=separator, lineterminator="\n").writerows(rows)
    return file


def pymrio_rows(columns, rows, values, names):
    """A table as pandas writes it: one line for each heading, and one that names the row labels."""
    blank = [""] * (len(rows[0]) - 1)
    head = [[name, *blank, *(c[k] for c in columns)] for k, name in enumerate(names[0])]
    body = [
        [*row, *map(repr, line)]
        for row, line in zip(rows, np.asarray(values).tolist(), strict=True)
    ]
    return [*head, [*names[1], *[""] * len(columns)], *body]


def declared(kind, **shapes):
    """The text of file_parameters.json: (headings, labels) of every table."""
    files = {
        name: {"name": f"{name}.txt", "nr_index_col": str(labels), "nr_header": str(headings)}
        for name, (headings, labels) in shapes.items()
    }
    return json.dumps({"files": files, "systemtype": kind, "name": "satellite"})


def exiobase(folder, *, coefficients=True, stressors=None):
    """A folder like IOT_2022_pxp of EXIOBASE 3: A or Z, Y, x, unit, and the extension satellite."""
    regions, sectors = ("region", "sector"), ("region", "sector")
    core = "A" if coefficients else "Z"
    stressors = (
        {"CO2": VALUE_ADDED / 7, "Hours": VALUE_ADDED * 3} if stressors is None else stressors
    )
    (folder / "satellite").mkdir(parents=True)
    square = pymrio_rows(PRODUCTS, PRODUCTS, A if coefficients else Z, (regions, sectors))
    write_rows(folder / f"{core}.txt", square, "\t")
    demand = pymrio_rows(CATEGORIES, PRODUCTS, Y, (("region", "category"), sectors))
    write_rows(folder / "Y.txt", demand, "\t")
    outputs = [[*product, repr(x)] for product, x in zip(PRODUCTS, X.tolist(), strict=True)]
    write_rows(folder / "x.txt", [["region", "sector", "indout"], *outputs], "\t")
    units = [[*product, "M.EUR"] for product in PRODUCTS]
    write_rows(folder / "unit.txt", [["region", "sector", "unit"], *units], "\t")
    shapes = {core: (2, 2), "Y": (2, 2), "x": (1, 2), "unit": (1, 2)}
    (folder / "file_parameters.json").write_text(declared("IOSystem", **shapes))
    meta = {
        "name": "EXIO3",
        "description": "made up",
        "system": "pxp",
        "version": "3.8",
        "history": [],
    }
    (folder / "metadata.json").write_text(json.dumps(meta))
    names = [(name,) for name in stressors]
    rows = pymrio_rows(PRODUCTS, names, list(stressors.values()), (regions, ("stressor",)))
    write_rows(folder / "satellite" / "F.txt", rows, "\t")
    units = [["stressor", "unit"], *([name, "kg"] for name in stressors)]
    write_rows(folder / "satellite" / "unit.txt", units, "\t")
    text = declared("Extension", F=(2, 1), unit=(1, 1))
    (folder / "satellite" / "file_parameters.json").write_text(text)
    return folder


def zipped(folder, file, *, within=""):
    """Zip a folder, under a folder of its own."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, within + path.relative_to(folder).as_posix())
    return file


def account(product, demand):
    """Labels of the columns of one sheet with everything: products, then final use."""
    return [*(product(*p) for p in PRODUCTS), *(demand(*c) for c in CATEGORIES)]


def icio(first, output, value_added):
    """Rows of an ICIO table; editions differ in what these are called."""
    head = [first, *account("{}_{}".format, "{}_{}".format), output]
    body = [
        [f"{region}_{sector}", *Z[k].tolist(), *Y[k].tolist(), X[k].item()]
        for k, (region, sector) in enumerate(PRODUCTS)
    ]
    inputs = [value_added, *VALUE_ADDED.tolist(), *[0] * len(CATEGORIES), 0]
    return [head, *body, inputs, [output, *X.tolist(), *[0] * len(CATEGORIES), 0]]


USES = {"HFCE": "P3_S14", "GFCF": "P51G"}


def figaro_matrix(*, is_products=False):
    """Rows of a FIGARO table in matrix form; products carry the prefix CPA_."""
    prefix = "CPA_" if is_products else ""
    labels = [f"{region}_{prefix}{sector}" for region, sector in PRODUCTS]
    head = ["rowLabels", *labels, *(f"{region}_{USES[part]}" for region, part in CATEGORIES)]
    body = [[label, *Z[k].tolist(), *Y[k].tolist()] for k, label in enumerate(labels)]
    return [head, *body, ["W2_D1", *VALUE_ADDED.tolist(), *[0] * len(CATEGORIES)]]


def figaro_flat(*, is_products=False):
    """Rows of the same table in flat form, one for each cell."""
    head, *body = figaro_matrix(is_products=is_products)
    letter = "P" if is_products else "I"
    names = ["icioiRow", "icioiCol", "refArea", f"row{letter}i", "counterpartArea", f"col{letter}i"]
    rows = []
    for label, *cells in body:
        for column, value in zip(head[1:], cells, strict=True):
            row, user = (name.split("_", 1) for name in (label, column))
            rows.append([label, column, *row, *user, value])
    return [[*names, "obsValue"], *rows]


def wiod_rows(*, release=2016):
    """Rows of a WIOD sheet; the release of 2013 has no codes below and beside the industries."""
    is_coded = release == 2016
    uses = {"HFCE": "CONS_h", "GFCF": "GFCF"}
    columns = [
        (sector, f"name of {sector}", region, f"c{k}")
        for k, (region, sector) in enumerate(PRODUCTS, start=1)
    ]
    for k, (region, part) in enumerate(CATEGORIES, start=57):
        columns.append((uses[part] if is_coded else None, f"name of {part}", region, f"c{k}"))
    columns.append(("GO" if is_coded else None, "Total output", "TOT", "c62"))
    titles = ["(industry-by-industry)", "(millions of US$)", None, None]
    rows = [["Intercountry Input-Output Table"], ["2014"]]
    rows += [[titles[k], None, None, None, *(c[k] for c in columns)] for k in range(4)]
    for k, (region, sector) in enumerate(PRODUCTS):
        label = [sector, f"name of {sector}", region, f"r{k + 1}"]
        rows.append([*label, *Z[k].tolist(), *Y[k].tolist(), X[k].item()])
    for code, name, number, values in (
        ("II_fob", "Total intermediate consumption", "r65", Z.sum(axis=0)),
        ("VA", "Value added at basic prices", "r70", VALUE_ADDED),
        ("GO", "Output at basic prices", "r73", X),
    ):
        zeros = [0.0] * (len(CATEGORIES) + 1)
        rows.append([code if is_coded else None, name, "TOT", number, *values.tolist(), *zeros])
    return rows


def write_xlsx(file, name, rows, change=None):
    """Write a workbook of one sheet; ``change`` says what else stands in some cells."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    for (row, column), value in (change or {}).items():
        book.active.cell(row, column).value = value
    book.save(file)
    return file


# A national table: AUS of the economy above is the country, USA the rest of the world.
NATIONAL = {
    "Zd": Z[:2, :2],
    "Zm": Z[2:, :2],
    "yd": np.column_stack([Y[:2, :2], Z[:2, 2:].sum(axis=1) + Y[:2, 2:].sum(axis=1)]),
    "ym": np.column_stack([Y[2:, :2], np.zeros(2)]),
    "x": X[:2],
    "VA": VALUE_ADDED[:2],
}
USED = ("CONS_h", "GFCF", "EXP")


def _national_rows(scale):
    """Label and numbers of every row of a national table, scaled."""
    part = {name: scale * values for name, values in NATIONAL.items()}
    for origin, flows, final in (("Domestic", "Zd", "yd"), ("Imports", "Zm", "ym")):
        for k, sector in enumerate(SECTORS):
            total = part[flows][k].sum() + part[final][k].sum()
            label = (sector, f"name of {sector}", origin)
            yield label, [*part[flows][k].tolist(), *part[final][k].tolist(), total]
    below = {
        ("II_fob", "Total intermediate consumption"): part["Zd"].sum(axis=0)
        + part["Zm"].sum(axis=0),
        ("TXSP", "taxes less subsidies on products"): 0.1 * part["VA"],
        ("VA", "Value added at basic prices"): 0.9 * part["VA"],
        ("GO", "Output at basic prices"): part["x"],
    }
    for (code, name), values in below.items():
        yield (code, name, "TOT"), [*values.tolist(), *[0.0] * (len(USED) + 1)]


def niot_2016(years=(2000, 2014)):
    """Rows of a national table of WIOD 2016: all years below each other, 2014 as it is."""
    names = [f"name of {sector}" for sector in SECTORS]
    head = ["Year", "Code", "Description", "Origin", *SECTORS, *USED, "GO"]
    rows = [head, [None] * 4 + [*names, *USED, "Total output"]]
    for year in years:
        for label, values in _national_rows(1.0 if year == 2014 else 3.0):
            rows.append([year, *label, *values])
    return rows


def niot_2013(scale=1.0):
    """Rows of a sheet of a national table of WIOD 2013, which has no codes but for industries."""
    width = len(SECTORS)
    heads = [
        [*SECTORS, *[None] * (len(USED) + 1)],
        [*(f"name of {sector}" for sector in SECTORS), *USED, "Total output"],
        [None] * (width + len(USED) + 1),
        [f"c{k}" for k in range(1, width + len(USED) + 2)],
    ]
    titles = ["(industry-by-industry)", "(millions of US$)", None, None]
    rows = [["National Input-Output Table"], ["2009"]]
    rows += [[titles[k], None, None, None, *heads[k]] for k in range(4)]
    for k, ((code, name, origin), values) in enumerate(_national_rows(scale), start=1):
        is_own = origin != "TOT"
        rows.append([code if is_own else None, name, origin, f"r{k}", *values])
    return rows


def write_sheets(file, sheets):
    """Write a workbook of several sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file
