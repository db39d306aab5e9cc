"""The smallest .xlsb workbook: one sheet of texts and numbers, as [MS-XLSB] lays it out.

A record is a type, a length (both 7 bits a byte, lowest first), and its bytes. No spreadsheet
program is needed to try whether such a file is read.
"""

import struct
import zipfile

ROW, REAL, TEXT = 0, 5, 6
BEGIN_SHEET, END_SHEET, BEGIN_BOOK, END_BOOK = 129, 130, 131, 132
BEGIN_SHEETS, END_SHEETS, BEGIN_ROWS, END_ROWS = 143, 144, 145, 146
SIZE, SHEET = 148, 156
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def write_xlsb(file, name, rows):
    """Write one sheet; cells that are None are left out."""
    width = max(map(len, rows))
    sheet = record(BEGIN_SHEET) + record(SIZE, struct.pack("<4I", 0, len(rows) - 1, 0, width - 1))
    sheet += record(BEGIN_ROWS)
    for number, cells in enumerate(rows):
        sheet += record(ROW, struct.pack("<I", number) + bytes(13))
        sheet += b"".join(cell(column, value) for column, value in enumerate(cells))
    sheet += record(END_ROWS) + record(END_SHEET)
    entry = struct.pack("<II", 0, 1) + wide("rId1") + wide(name)
    book = record(BEGIN_BOOK) + record(BEGIN_SHEETS) + record(SHEET, entry)
    book += record(END_SHEETS) + record(END_BOOK)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{RELATIONS}">'
            f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.bin"/>'
            "</Relationships>",
        )
    return file


def cell(column, value):
    """One cell: a number or a text."""
    if value is None:
        return b""
    place = struct.pack("<II", column, 0)
    if isinstance(value, str):
        return record(TEXT, place + wide(value))
    return record(REAL, place + struct.pack("<d", value))


def wide(text):
    """A text in UTF-16, behind its length."""
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def record(kind, content=b""):
    """One record."""
    return sevens(kind) + sevens(len(content)) + content


def sevens(number):
    """A number in bytes of seven bits, the lowest first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
