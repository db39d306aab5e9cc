"""The rows: which claims, by which workloads, beside which other solvers.

Where a source leaves the distribution of inputs open, the recipe of `ogas.datasets` states one:
`ccm` draws suppliers evenly, half of every product's value is labour; `tns`, `nove`, `bernes` and
`catalogue` have branches, hubs and supply chains.
"""

from dataclasses import replace

from ogas.benchmarks.claims.claim import Claim, Row, Workload
from ogas.cluster.report import words

XEON = "3 GHz Intel Xeon, 2 GB"
CCM = "Cottrell, Cockshott, Michaelson 2009, Int. J. Unconventional Computing 5, 223-236"
TNS = "Cockshott, Cottrell 1993, Towards a New Socialism, ch. 3"
CALCULATION = "Cockshott, Cottrell 1993, Review of Political Economy 5, 73-112"
MULTIPROCESSOR = "multiprocessor of the 1990s at the implied 10⁹ multiplications/s"
SAMOTHRAKIS = "Samothrakis 2021, PLOS ONE 16(9) e0257399, github ssamot/socialist_planning"

ITERATIVE = ("scipy-float32", "scipy-float64", "gmres-jacobi")
DIRECT = ("scipy-spsolve", "pardiso", "pardiso-threads")
EVERY = (*ITERATIVE, "bicgstab-ilu", "pyamg", *DIRECT)
DENSE = (*ITERATIVE, *DIRECT, "pymrio-inverse", "bw2calc")

ROOT, POWER, LOG = "√n, drawn evenly", "n^0.4, drawn evenly", "6.1 log₂ n, branches and hubs"
SWEDEN = Claim(
    *("A6", "about two minutes, an economy of the size of Sweden's", 120.0, "S"),
    *("departmental computer for £5,000", "Phillips, Rozworski 2019, ch. 8"),
)
MILLIONS_OF_YEARS = Claim(
    *("G1", "millions of years (read as one)", 1e6 * words.YEAR, "S", "not said"),
    "Nove 1983, p. 103, after Antonov 1965; 12 million products: p. 33",
)


def _ccm(number: int, products: int, inputs: float, seconds: float, *more: Claim) -> Row:
    claim = Claim(f"A{number}", f"{seconds:g} s", seconds, "M", XEON, CCM)
    return Row(
        *(f"A{number}", "outputs, and labour values"),
        Workload("ccm", products, inputs, ROOT),
        claims=(claim, *more),
        peers=EVERY if products <= 40_000 else ITERATIVE,
        commands=("plan", "price"),
    )


def _power(products: int, inputs: int, peers: tuple[str, ...], *more: Claim) -> Row:
    """Return a row of the law ``10 n^1.4`` multiplications."""
    seconds = 1e-8 * products * inputs
    exponent = len(str(products)) - 1
    name = f"B2-1e{exponent}"
    claim = Claim(name, words.seconds(seconds), seconds, "D", MULTIPROCESSOR, CALCULATION)
    work = Workload("ccm", products, inputs, POWER)
    return Row(name, "n^0.4 inputs, ten iterations", work, (claim, *more), peers)


def _published(name: str, file: str, products: int, inputs: float, what: str) -> Row:
    work = Workload(file, products, inputs, "as published", figures=10)
    return Row(f"I-{name}", what, work, (), DENSE, kind="published")


A = (
    _ccm(1, 1_000, 30, 0.1),
    _ccm(2, 10_000, 100, 3.8),
    _ccm(3, 40_000, 200, 33.8),
    _ccm(4, 160_000, 400, 77.1, SWEDEN),
    _ccm(5, 320_000, 600, 166.0, SWEDEN),
)
SUPERCOMPUTER = Claim(
    *("B1", "a few minutes (read as two); elimination: 16,000 years", 120.0, "T"),
    *("Fujitsu VP200 or Hitachi S810-20, 2·10⁸ operations/s", TNS),
)
B = (
    Row(
        *("B1", "a million products, four figures"),
        Workload("tns", 1_000_000, 100, "100, branches and hubs", figures=4),
        *((SUPERCOMPUTER,), ITERATIVE),
    ),
    _power(1_000, 16, EVERY),
    _power(100_000, 100, (*ITERATIVE, "pyamg", "pardiso")),
    _power(1_000_000, 251, ITERATIVE),
    _power(
        *(10_000_000, 631, ()),
        Claim("B3", "5,000 s", 5e3, "S", "desktop of 2018", "note to the Brazilian translation"),
    ),
)


def _triangle(name: str, products: int, uses: int, seconds: float) -> tuple[Row, Row]:
    """Return a published triangular economy, and one of its size in which all is circular."""
    claim = Claim(name, f"{seconds:g} s", seconds, "C", "commodity PC, SciPy SuperLU", SAMOTHRAKIS)
    title = "no product feeds back into its own inputs"
    work, peers = Workload("triangular", products, uses, "triangular"), (*ITERATIVE, *DIRECT)
    circle = Workload("circular", products, uses, "circular")
    return (
        Row(name, title, work, (claim,), peers),
        Row(f"{name}-circular", "the same size, circular", circle, (), peers),
    )


E = (
    *_triangle("E-5700", 5_700, 1_000, 0.163),
    *_triangle("E-11200", 11_200, 2_000, 0.755),
    *_triangle("E-55200", 55_200, 2_000, 5.69),
)
DYNAMIC = Claim(
    *("F1", "6 min for 100,000 sectors", 360.0, "C", "not said"),
    "Mahajan, Singh, Paiela 2025, github Shivam-Mahajan2007/dynamic-leontief-planning",
)
F = (
    Row(
        *("F1", "100,000 sectors to 0.5 %"),
        Workload("sectors:S1", 100_000, 101, LOG, figures=2),
        *((DYNAMIC,), (*ITERATIVE, "pyamg", "pardiso")),
    ),
)
TWENTY_MILLION = Claim(
    *("G2", "said to need a matrix of 20 million by 20 million", None, "S", "none"),
    "Bernes, Planning and Anarchy",
)
NOVE = Row(
    *("G1", "every product of the USSR"),
    *(Workload("nove", 12_000_000, 143, LOG), (MILLIONS_OF_YEARS,)),
)
G = (
    Row("G-1e5", "the same law, smaller", Workload("sectors:S1", 100_000, 101, LOG)),
    Row("G-1e6", "the same law, smaller", Workload("sectors:S1", 1_000_000, 122, LOG)),
    NOVE,
    replace(NOVE, name="G1-streamed", title="the same, most of it on the disk", memory="11.5GB"),
    Row(
        *("G2", "twenty million products"),
        *(Workload("bernes", 20_000_000, 148, LOG), (TWENTY_MILLION,)),
    ),
    Row(
        *("G3-3e7", "the same law as G3, smaller"),
        Workload("catalogue", 30_000_000, 16, "16, branches and hubs"),
    ),
    Row(
        *("G3", "the catalogue of a large shop"),
        Workload("catalogue", 100_000_000, 16, "16, branches and hubs"),
    ),
)
REAL = (
    _published("US-2017", "bea2017_detail_hours_after", 398, 188, "United States 2017"),
    _published("US-2012", "bea2012_detail_hours_after", 401, 190, "United States 2012"),
    _published("UK-1984", "uk_1984_101", 101, 46, "United Kingdom 1984"),
    _published("Spain-2014", "wiod16_ESP_2014", 56, 52, "Spain 2014"),
    _published("World-2005", "wiod13_world_2005", 1_435, 254, "the world of 2005, by country"),
)
TWENTY_MINUTES = Claim(
    *("J1", "an answer every 20 minutes", 1_200.0, "S", "a few PCs per workplace, and a centre"),
    "Cockshott and Cottrell, after Dyer-Witheford 2013, Culture Machine 14",
)
J = (
    Row(
        *("J1", "planned again when demands change"),
        Workload("tns", 1_000_000, 100, "100, branches and hubs", figures=4),
        *((TWENTY_MINUTES,), ()),
        kind="revised",
    ),
)
DENSITY = Row(
    *("D-US-2017", "how few entries prove one, two and three figures"),
    Workload("bea2017_detail_hours_before", 398, 215, "as published"),
    kind="thinned",
)
ROWS = (*A, *B, *E, *F, *REAL, DENSITY, *J, *G)

_FEW = ("scipy-float32", "scipy-spsolve", "pardiso", "pymrio-inverse", "bw2calc")


def _small(row: Row, products: int, inputs: float) -> Row:
    smaller = replace(row.work, products=products, inputs=inputs)
    return replace(row, title=f"{row.title} (scaled down)", work=smaller, claims=(), peers=())


QUICK = (
    replace(A[0], peers=EVERY, commands=("plan",)),
    replace(A[1], peers=ITERATIVE),
    replace(A[2], peers=(), commands=("plan",)),
    replace(B[1], peers=()),
    _small(F[0], 5_000, 75),
    replace(REAL[3], peers=_FEW),
    _small(J[0], 20_000, 50),
)
