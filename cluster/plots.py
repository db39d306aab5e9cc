"""The plots of a job, drawn by bokeh; each has a source of data, filled by `ogas.cluster.curves`.

headline: job, state, figures certified, round, elapsed, workers    [choice of a job]
convergence
time of every round          | bytes of every round
time of every worker         | time of every block
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bokeh.layouts import column, row
from bokeh.models import (
    AdaptiveTicker,
    CategoricalColorMapper,
    ColumnDataSource,
    Div,
    FactorRange,
    HoverTool,
    Legend,
    NumeralTickFormatter,
    Select,
)
from bokeh.plotting import figure

from ogas.cluster import curves
from ogas.cluster.curves import Columns
from ogas.cluster.watching import Trace

# Okabe and Ito's colours, which people who are colour-blind can tell apart.
BLUE, SKY, ORANGE = "#0072b2", "#56b4e9", "#e69f00"
GREEN, RED, PINK = "#009e73", "#d55e00", "#cc79a7"
INK, FAINT, PALE = "#2b2f33", "#6b7178", "#c8ccd0"
STATES = {"certified": GREEN, "failed": RED, "cancelled": ORANGE, "queued": FAINT}
# Pixels: of a worker's bar, of what is around all of them, and the least height of a plot.
ROW, AROUND, LEAST = 24, 100, 240
NOTHING = "No job has been told of yet. The plots begin with the next one."
STRETCHED = {"sizing_mode": "stretch_width"}
SPACED = {"spacing": 14, **STRETCHED}
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


class Plots:
    """All that the page shows.

    Attributes
    ----------
    root : layout
    choice : Select
        Of a job.
    sources : mapping of name to ColumnDataSource
    """

    def __init__(self, latest: str) -> None:
        nobody = Trace("", 0.0, "queued", "", 0, 1, 0.0, 0, 0)
        columns = _columns(nobody, {}, {})
        self.sources = {name: ColumnDataSource(found) for name, (found, _) in columns.items()}
        self.headline = Div(text=_note(NOTHING), **STRETCHED)
        self.choice = Select(title="Job", value=latest, options=[latest], width=240, visible=False)
        self.workers = FactorRange()
        self.times, self.traffic = self._times(), self._traffic()
        self.efforts, self.blocks = self._efforts(), self._blocks()
        self.hands = row(self.efforts, self.blocks, **SPACED)
        self.body = column(
            self._convergence(),
            row(self.times, self.traffic, **SPACED),
            self.hands,
            visible=False,
            **SPACED,
        )
        style = {"max-width": "1500px", "margin": "0 auto", "padding": "4px 16px"}
        head = row(self.headline, self.choice, **STRETCHED)
        self.root = column(head, self.body, styles=style, **STRETCHED)

    # ---- what is shown --------------------------------------------------------------------------

    def offer(self, jobs: Sequence[str]) -> None:
        """Let a visitor choose, where there is a choice; the first is the latest, whichever."""
        self.choice.options = list(jobs)
        self.choice.visible = len(jobs) > 2

    def head(self, trace: Trace, now: float) -> None:
        """Show where a job is; ``now`` by the scheduler's clock."""
        tiles = "".join(_tile(name, value, trace) for name, value in curves.headline(trace, now))
        message = f'<div style="color:{FAINT};margin-top:4px">{escape(trace.message)}</div>'
        self.headline.text = (
            f'<div style="font-family:{FONT};color:{INK}"><div style="display:flex;flex-wrap:wrap;'
            f'gap:8px 36px">{tiles}</div>{message if trace.message else ""}</div>'
        )

    def show_nothing(self) -> None:
        """Say that there is nothing to show."""
        self.headline.text = _note(NOTHING)
        self.body.visible = False

    def show(self, trace: Trace, heartbeats: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        """Show all that is known of a job."""
        columns = _columns(trace, heartbeats, names)
        workers = columns["efforts"][0]["worker"]
        self.workers.factors = workers[::-1]  # they are drawn from below
        self.efforts.height = self.blocks.height = max(AROUND + ROW * len(workers), LEAST)
        for name, (found, _) in columns.items():
            self.sources[name].data = found
        self.times.yaxis.axis_label = f"{columns['times'][1]} per round"
        self.traffic.yaxis.axis_label = f"{columns['traffic'][1]} per round"
        self.efforts.xaxis.axis_label = f"{columns['efforts'][1]} so far"
        self.blocks.yaxis.axis_label = f"{columns['blocks'][1]} so far"
        self.blocks.title.text = (
            f"Time of every block, placement {trace.placement:,}; a colour for each worker"
        )
        self.anew.visible = bool(columns["renewals"][0]["round"])
        self.proven.visible = bool(columns["certificates"][0]["round"])
        self.hands.visible = bool(workers)  # none where a coordinator does all by itself
        self.body.visible = bool(trace.rounds)

    # ---- the plots ------------------------------------------------------------------------------

    def _convergence(self) -> Any:
        plot = _figure("Convergence: what is known of the worst product", y_axis_type="log")
        plot.yaxis.axis_label = "relative half-width of its bounds"
        of, at = self.sources, {"x": "round", "y": "half_width"}
        anew = plot.vspan(x="round", source=of["renewals"], line_color=RED, line_dash="dotted")
        wanted = plot.line(**at, source=of["requested"], color=FAINT, line_dash="dashed")
        line = plot.line(**at, source=of["forecasts"], color=SKY, line_width=2)
        dots = plot.scatter(**at, source=of["forecasts"], color=BLUE, size=5)
        proofs = plot.scatter(
            **at, source=of["certificates"], color=GREEN, size=14, marker="diamond"
        )
        width = ("half-width", "@half_width{0.0e+0}")
        _hover(plot, dots, [("round", "@round{0,0}"), ("would be proven", width[1])])
        _hover(plot, proofs, [("round", "@round{0,0}"), width, ("figures", "@figures")])
        shown = {
            "forecast after a sweep": [line, dots],
            "proven by a certificate": [proofs],
            "requested": [wanted],
            "blocks placed anew": [anew],
        }
        *_, self.proven, _, self.anew = _legend(plot, shown).items
        return _by_round(plot)

    def _times(self) -> Any:
        plot = _figure("Time of every round", 260)
        names, colors = ["sweeping", "waiting", "rest"], [BLUE, ORANGE, PALE]
        source = self.sources["times"]
        bars = plot.vbar_stack(names, x="round", width="width", color=colors, source=source)
        shown = [("round", "@rounds"), ("what", "@kind"), ("all of it", "@total{0,0.00}")]
        shown += [("sweeping", "@sweeping{0,0.00}"), ("for parcels", "@waiting{0,0.00}")]
        _hover(plot, bars[-1], shown)
        _hover(plot, bars[0], shown)
        words = ["sweeping", "waiting for parcels", "waiting for others"]
        _legend(plot, {word: [bar] for word, bar in zip(words, bars, strict=True)})
        return _from_zero(_by_round(plot))

    def _traffic(self) -> Any:
        plot = _figure("Bytes of every round", 260)
        source, shown = self.sources["traffic"], {}
        for name, color, word in (
            ("blocks", SKY, "between blocks"),
            ("workers", RED, "between workers"),
        ):
            line = plot.line(x="round", y=name, source=source, color=color, line_width=2)
            dots = plot.scatter(x="round", y=name, source=source, color=color, size=5)
            _hover(plot, dots, [("round", "@rounds"), (word, f"@{name}{{0,0.00}}")])
            shown[word] = [line, dots]
        _legend(plot, shown)
        return _from_zero(_by_round(plot))

    def _efforts(self) -> Any:
        plot = _figure("Time of every worker", y_range=self.workers)
        names, colors = ["stepping", "waiting"], [BLUE, ORANGE]
        source = self.sources["efforts"]
        bars = plot.hbar_stack(names, y="worker", height=0.7, color=colors, source=source)
        shown = [("worker", "@address"), ("computing", "@stepping{0,0.00}")]
        shown += [("waiting for parcels", "@waiting{0,0.00}"), ("sent", "@sent")]
        shown += [("blocks", "@blocks{0,0}")]
        for bar in bars:
            _hover(plot, bar, shown)
        _legend(plot, {"computing": [bars[0]], "waiting for parcels": [bars[1]]})
        return _of_workers(plot)

    def _blocks(self) -> Any:
        plot = _figure("Time of every block")
        source, colors = (
            self.sources["blocks"],
            CategoricalColorMapper(
                factors=list(map(str, range(curves.SHADES))),
                palette=[BLUE, ORANGE, GREEN, SKY, RED, PINK],
            ),
        )
        bars = plot.vbar(
            x="block",
            top="taken",
            width=0.8,
            color={"field": "shade", "transform": colors},
            source=source,
        )
        shown = [("block", "@block{0,0}"), ("worker", "@worker"), ("its steps", "@taken{0,0.00}")]
        _hover(plot, bars, shown)
        plot.xaxis.axis_label = "block"
        plot.xaxis.ticker = AdaptiveTicker(min_interval=1)
        plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
        return _from_zero(plot)


# ---- what they consist of ----------------------------------------------------------------------


def _columns(
    trace: Trace, heartbeats: Mapping[str, Any], names: Mapping[str, Any]
) -> dict[str, tuple[Columns, str]]:
    """Return what fills every source, and its unit."""
    found = {
        "times": curves.times(trace),
        "traffic": curves.traffic(trace),
        "efforts": curves.efforts(trace, heartbeats, names),
        "blocks": curves.blocks(trace, heartbeats, names),
    }
    return {
        "forecasts": (curves.forecasts(trace), "1"),
        "certificates": (curves.certificates(trace), "1"),
        "requested": (curves.requested(trace), "1"),
        "renewals": (curves.renewals(trace), "1"),
        **{name: (one.columns, one.unit) for name, one in found.items()},
    }


def _figure(title: str, height: int = 320, **ranges: Any) -> Any:
    plot = figure(title=title, height=height, tools="", toolbar_location=None, **ranges)
    plot.sizing_mode = "stretch_width"
    plot.title.text_font_size, plot.title.text_color = "14px", INK
    plot.outline_line_color = plot.background_fill_color = plot.border_fill_color = None
    plot.xgrid.grid_line_color = None
    plot.ygrid.grid_line_color = "#eceff1"
    plot.min_border_left = plot.min_border_right = 16
    for axis in plot.axis:
        axis.axis_line_color = axis.major_tick_line_color = PALE
        axis.minor_tick_line_color = None
        axis.axis_label_text_color = axis.major_label_text_color = FAINT
        axis.axis_label_text_font_style = "normal"
    return plot


def _by_round(plot: Any) -> Any:
    plot.xaxis.axis_label = "round"
    plot.xaxis.ticker = AdaptiveTicker(min_interval=1)
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    return plot


def _from_zero(plot: Any) -> Any:
    plot.y_range.start = 0
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[00]")
    return plot


def _of_workers(plot: Any) -> Any:
    plot.x_range.start = 0
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0.[00]")
    plot.xgrid.grid_line_color, plot.ygrid.grid_line_color = "#eceff1", None
    return plot


def _hover(plot: Any, renderer: Any, shown: list[tuple[str, str]]) -> None:
    plot.add_tools(HoverTool(renderers=[renderer], tooltips=shown))


def _legend(plot: Any, shown: Mapping[str, list[Any]]) -> Any:
    """Put a legend in one line between the title and the plot, and return it."""
    legend = Legend(items=list(shown.items()), orientation="horizontal", padding=0, margin=4)
    legend.border_line_color, legend.label_text_color = None, INK
    legend.spacing, legend.glyph_height = 18, 14
    legend.background_fill_color, legend.location = None, "top_left"
    plot.add_layout(legend, "above")
    return legend


def _tile(name: str, value: str, trace: Trace) -> str:
    color = STATES.get(trace.state, BLUE) if name == "state" else INK
    return (
        f'<div><div style="font-size:12px;color:{FAINT}">{escape(name)}</div>'
        f'<div style="font-size:20px;font-weight:600;color:{color}">{escape(value)}</div></div>'
    )


def _note(text: str) -> str:
    return f'<p style="font-family:{FONT};font-size:16px;color:{FAINT}">{escape(text)}</p>'
