"""The page: everything that is told of a plan, in one file without references to anything else."""

from collections.abc import Iterable
from html import escape
from itertools import chain

from ogas.cluster.report import telling
from ogas.cluster.report.certainty import convergence, figures_proven
from ogas.cluster.report.findings import Findings
from ogas.cluster.report.html import Figure, defined, document, figure, resource, table
from ogas.cluster.report.index import as_script, flows_between, index, words
from ogas.cluster.report.matrix import heat_map
from ogas.cluster.report.rankings import deliveries, factors, largest, shortfalls
from ogas.cluster.report.sankey import sankey
from ogas.cluster.report.scatter import scatter

# The page may do nothing but show itself: neither fetch nor send anything.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)
Sections = dict[str, tuple[str, list[Figure]]]


def sections(found: Findings) -> Sections:
    """Return the pictures by what they are about: a short name, and a title for each group."""
    economy = found.economy
    certain = [convergence(found), figures_proven(found)]
    made = [largest(found), deliveries(found), shortfalls(found)]
    flows: list[Figure | None] = []
    if economy is not None:
        flows = [heat_map(economy), sankey(economy), scatter(economy)]
    named: dict[str, tuple[str, Iterable[Figure | None]]] = {
        "sure": ("How sure", certain),
        "made": ("Values" if found.is_priced else "What is made", made),
        "goes": ("What goes where", flows),
        "takes": ("What it takes", factors(found)),
    }
    kept = {name: (text, [one for one in some if one]) for name, (text, some) in named.items()}
    return {name: (text, some) for name, (text, some) in kept.items() if some}


def page(found: Findings, parts: Sections, path: str) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    found : Findings
    parts : dict
        What `sections` made of them.
    path : str
        Where the plan is.
    """
    links = {"search": "Look up a product", **{name: text for name, (text, _) in parts.items()}}
    links["origin"] = "About this plan"
    name, kept = telling.title(found), index(found)
    body = [
        '<a class="skip" href="#search">Skip to the search for a product</a>',
        f"<header><h1>{escape(name)}</h1>{telling.purpose(found)}"
        f"{_column(found)}{telling.headline(found)}</header>",
        f'<dl class="tiles">{telling.tiles(found)}</dl>',
        f'<nav aria-label="Parts of this page">{"".join(map(_anchor, links.items()))}</nav>',
        "<main>",
        _search(words(found, kept)),
        *chain.from_iterable(_section(key, *part) for key, part in parts.items()),
        _missing(found),
        _origin(found, path),
        "</main>",
        f'<script type="application/json" id="index">{as_script(kept)}</script>',
        f'<script type="application/json" id="pairs">{flows_between(found.economy)}</script>',
        f"<script>{resource('report.js')}</script>",
    ]
    style = resource("base.css") + resource("report.css")
    return document(name, style, "\n".join(part for part in body if part), POLICY)


def _anchor(link: tuple[str, str]) -> str:
    return f'<a href="#{link[0]}">{escape(link[1])}</a>'


def _column(found: Findings) -> str:
    """Return which of several scenarios or factors the pictures are about."""
    column, sheet = found.column, telling.scenarios(found)
    if sheet is None:
        return f'<p class="soft">in {escape(column.name)}</p>' if column.name else ""
    return (
        f'<p class="soft">The pictures are about <b>{escape(column.name)}</b>, one of '
        f"{len(found.plan.columns)}; <code>ogas report --column NAME</code> draws another.</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(sheet.title)}">'
        f"{table(sheet)}</div>"
    )


def _search(told: str) -> str:
    return (
        '<section id="search"><h2>Look up a product</h2>'
        '<form role="search" autocomplete="off"><label for="query">Name or id</label>'
        '<input id="query" type="search" spellcheck="false" aria-describedby="listed">'
        f'</form><p class="soft" id="listed">{escape(told)}</p>'
        '<ul id="matches" aria-label="Products found"></ul>'
        '<div id="product" role="region" aria-live="polite" aria-label="The product"></div>'
        "<noscript><p>The search needs JavaScript; the pictures and tables do not.</p></noscript>"
        "</section>"
    )


def _section(key: str, text: str, figures: list[Figure]) -> list[str]:
    return [
        f'<section id="{key}"><h2>{escape(text)}</h2><div class="figures">',
        *map(figure, figures),
        "</div></section>",
    ]


def _missing(found: Findings) -> str:
    if not found.missing:
        return ""
    told = escape(found.missing)
    return f'<section><h2>What is not here</h2><p id="missing">{told}</p></section>'


def _origin(found: Findings, path: str) -> str:
    return (
        '<section id="origin"><h2>About this plan</h2>'
        f"{defined(telling.origin(found, path))}<h2>Words</h2>{defined(telling.MEANINGS)}</section>"
    )
