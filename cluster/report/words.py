"""Numbers as people read them: units that fit, thousands apart, no more figures than are known."""

from typing import Any

MINUTE, HOUR, DAY, YEAR = 60.0, 3_600.0, 86_400.0, 31_557_600.0
TIMES = ((YEAR, "years"), (DAY, "days"), (HOUR, "h"), (10 * MINUTE, "min"), (1.0, "s"))
BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOTHING = "–"


def seconds(number: float | None) -> str:
    """Return a duration.

    Examples
    --------
    >>> [seconds(s) for s in (0.00042, 0.0312, 3.14159, 77.1, 4821.0, 7e5, 3.2e13)]
    ['0.42 ms', '31 ms', '3.1 s', '77 s', '1.3 h', '8.1 days', '1,000,000 years']
    """
    if number is None:
        return NOTHING
    for least, unit in TIMES:
        if number >= 0.995 * least:
            return f"{plain(number / (MINUTE if unit == 'min' else least))} {unit}"
    return f"{plain(1e3 * number)} ms"


def plain(number: float) -> str:
    """Return two significant figures, whole from ten on, with thousands apart.

    Examples
    --------
    >>> [plain(n) for n in (0.0423, 4.16, 77.1, 1234.5, 1014042.0)]
    ['0.042', '4.2', '77', '1,200', '1,000,000']
    """
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def memory(number: float | None) -> str:
    """Return an amount of memory.

    Examples
    --------
    >>> memory(1_536_000_000), memory(None)
    ('1.5 GB', '–')
    """
    if number is None:
        return NOTHING
    for least, unit in BYTES:
        if number >= 0.995 * least:  # a thousand of a unit is one of the next
            return f"{plain(number / least)} {unit}"
    return f"{number:.0f} bytes"


def count(number: float | None) -> str:
    """Return a whole number with thousands apart."""
    return NOTHING if number is None else f"{number:,.0f}"


def times(number: float | None) -> str:
    """Return how many times faster.

    Examples
    --------
    >>> times(4231.0), times(0.42), times(5.4e-5)
    ('× 4,200', '× 0.42', '× 5.4·10⁻⁵')
    """
    if number is None:
        return NOTHING
    return f"× {plain(number) if 0.01 <= number < 1e7 else power(number)}"


def small(number: float | None) -> str:
    """Return a relative error.

    Examples
    --------
    >>> small(3.163e-4)
    '3.2·10⁻⁴'
    """
    return NOTHING if number is None else (power(number) if number else "0")


def percent(part: float) -> str:
    """Return a share with two figures, also where it is tiny.

    Examples
    --------
    >>> percent(6.4e-5), percent(2.71e-15), percent(0.0), percent(12.3)
    ('0.0064 %', '2.7·10⁻¹³ %', '0 %', '1,200 %')
    """
    number = 100 * part
    return f"{power(number) if 0 < number < 1e-4 else plain(number)} %"


def initial(text: str) -> str:
    """Return a text with a capital first; the others stay as they are.

    Examples
    --------
    >>> initial("labour"), initial("CO2")
    ('Labour', 'CO2')
    """
    return text[:1].upper() + text[1:]


def power(number: float) -> str:
    """Return two figures and a power of ten.

    Examples
    --------
    >>> power(3.2e13), power(1e-3)
    ('3.2·10¹³', '10⁻³')
    """
    digits, exponent = f"{number:.1e}".split("e")
    tens = f"10{str(int(exponent)).translate(DIGITS)}"
    return tens if digits == "1.0" else f"{digits.removesuffix('.0')}·{tens}"


def share(number: Any) -> str:
    """Return a share in per cent."""
    return NOTHING if number is None else f"{100 * float(number):.0f} %"
