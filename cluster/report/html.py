"""Pieces of pages that stand alone: the document, tables, and figures with what lies behind them.

A figure is a drawing with its title, what it tells in words, its numbers as a table, and the same
numbers as a file to keep. Nothing here refers to anything outside the page.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ogas.cluster.sheet import Sheet
from ogas.cluster.summary import counted, significant

MOST_ROWS = 60  # of a table in the page; the file has all
DISGUISED = str.maketrans({c: f"%{ord(c):02X}" for c in "%#\t\n\r"})  # in a link to data


def resource(name: str) -> str:
    """Return a text that lies beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def document(title: str, style: str, body: str, policy: str = "") -> str:
    """Return a page; ``policy`` is what its reader's browser may do with it."""
    named = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style>'
    sized = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    allowed = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
    return (
        f'<!doctype html>\n<html lang="en"><head>{named}{sized}{allowed}</head>\n'
        f"<body>{body}</body></html>\n"
    )


def defined(terms: dict[str, str]) -> str:
    """Return terms with what they mean."""
    inside = "".join(f"<dt>{escape(t)}</dt><dd>{escape(what)}</dd>" for t, what in terms.items())
    return f"<dl>{inside}</dl>"


@dataclass(frozen=True)
class Figure:
    """A drawing with what belongs to it.

    Attributes
    ----------
    title : str
    drawings : tuple of str
        One, or one for wide and one for narrow pages; none where there is only a table.
    tells : str
        What is to be seen in it, in words; HTML.
    sheet : Sheet
        Its numbers.
    legend : sequence of (class, text)
    note : str
        What stands below; HTML.
    is_half : bool
        Whether two of its kind fit side by side.
    """

    title: str
    drawings: tuple[str, ...]
    tells: str
    sheet: Sheet
    legend: Sequence[tuple[str, str]] = ()
    note: str = ""
    is_half: bool = False


def figure(one: Figure) -> str:
    """Return a figure as HTML."""
    legend = "".join(
        f'<span><i class="{series}"></i>{escape(text)}</span>' for series, text in one.legend
    )
    names = ((), ("only",), ("wide", "narrow"))[len(one.drawings)]
    drawn = "".join(
        f'<div class="drawing {name}">{drawing}</div>'
        for name, drawing in zip(names, one.drawings, strict=True)
    )
    name = escape(one.sheet.name)
    parts = [
        f'<figure id="{name}" class="{"half" if one.is_half else "across"}">',
        f"<h3>{escape(one.title)}</h3><p>{one.tells}</p>",
        f'<div class="legend">{legend}</div>' if legend else "",
        f"{drawn}{one.note}",
        _keep(one),
        _behind(one.sheet, is_open=not drawn),
        "</figure>",
    ]
    return "".join(parts)


def _keep(one: Figure) -> str:
    """Return what saves a figure; the script shows the button."""
    unseen = f'<span class="unseen">: {escape(one.title)}</span>'
    button = (
        f'<button type="button" class="png" data-name="{escape(one.sheet.name)}" hidden>'
        f"Save as PNG{unseen}</button> "
    )
    return f'<div class="keep">{button if one.drawings else ""}{_link(one)}</div>'


def _link(one: Figure) -> str:
    text = csv_text(one.sheet).translate(DISGUISED)
    unseen = f'<span class="unseen">: {escape(one.title)}</span>'
    href = escape(f"data:text/csv;charset=utf-8,{text}")
    return f'<a download="{escape(one.sheet.name)}.csv" href="{href}">Save as CSV{unseen}</a>'


def csv_text(sheet: Sheet) -> str:
    """Return a table as CSV, numbers as they are."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([sheet.head, *sheet.rows])
    return stream.getvalue()


def _behind(sheet: Sheet, *, is_open: bool) -> str:
    """Return the numbers behind a drawing, folded away."""
    count = len(sheet.rows)
    shown = f"first {MOST_ROWS} of {count:,} rows" if count > MOST_ROWS else counted(count, "row")
    return (
        f"<details{' open' if is_open else ''}>"
        f"<summary>The numbers: {escape(sheet.title)} ({shown})</summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(sheet.title)}">'
        f"{table(sheet)}</div></details>"
    )


def table(sheet: Sheet, most: int = MOST_ROWS) -> str:
    """Return a table as HTML; numbers to the right."""
    rows = sheet.rows[:most]
    texts = [any(isinstance(row[k], str) for row in rows) for k in range(len(sheet.head))]
    head = "".join(
        f'<th scope="col"{_kind(is_text)}>{escape(name)}</th>'
        for name, is_text in zip(sheet.head, texts, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_kind(is_text)}>{escape(said(cell))}</td>"
            for cell, is_text in zip(row, texts, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _kind(is_text: bool) -> str:
    return ' class="text"' if is_text else ""


def said(cell: Any) -> str:
    """Return a cell as people read it.

    Examples
    --------
    >>> said(1234567), said(1234.5678), said(None), said("a")
    ('1,234,567', '1,234.57', '–', 'a')
    """
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return significant(cell, 5).replace("-", "−")
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
