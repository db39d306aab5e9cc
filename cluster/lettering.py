"""How wide texts are, and how one that is too long is made short.

Names of products often begin alike and end apart, so that what is left out is in the middle.
"""

from rich.cells import cell_len

ELLIPSIS = "…"
TAIL = 3  # a third of what is left stands behind the ellipsis


def wide(text: str) -> int:
    """Return how many letters wide a text is; Chinese ones count for two.

    >>> wide("Primary metals"), wide("电力")
    (14, 4)
    """
    return cell_len(text)


def shortened(text: str, most: float) -> str:
    """Return a text that is so many letters wide at most, with its beginning and its end.

    Examples
    --------
    >>> shortened("Motor vehicles, bodies and trailers, and parts", 24)
    'Motor vehicles,…d parts'
    >>> shortened("Primary metals", 20), shortened("石油加工、炼焦和核燃料加工业", 13)
    ('Primary metals', '石油加工…工业')
    """
    if wide(text) <= most:
        return text
    room = max(int(most) - 1, 0)
    tail = room // TAIL
    return f"{_first(text, room - tail).rstrip()}{ELLIPSIS}{_last(text, tail).lstrip()}"


def _first(text: str, most: int) -> str:
    end = width = 0
    while end < len(text) and width + wide(text[end]) <= most:
        width += wide(text[end])
        end += 1
    return text[:end]


def _last(text: str, most: int) -> str:
    return _first(text[::-1], most)[::-1]
