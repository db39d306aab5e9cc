"""Commands that make tables and look at them: import, export, generate, info, check."""

from pathlib import Path

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, json_option, option, table_argument

# As `ogas.datasets.forms` has them, which is not imported to print a help page.
WRITTEN = ["npz", "mtx", "edges", "square", "pymrio"]
READ = [
    *WRITTEN,
    *("icio", "figaro", "wiod", "niot", "bea", "brightway", "5yearplan", "plecpr", "dep1ex"),
]


@click.command("import")
@click.argument("source", type=PATH)
@click.argument("table", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(READ),
    help="The form of SOURCE [default: by its suffix and first line].",
)
@click.option(
    "--kind",
    type=click.Choice(["coefficients", "flows"]),
    default="coefficients",
    show_default=True,
    help="What the entries are: inputs per unit of output, or total flows.",
)
@click.option("--products", type=PATH, help="The product list of an edge list or Matrix Market.")
@click.option(
    "--model",
    type=click.Choice(
        [
            *("product-technology", "industry-technology"),
            *("fixed-industry-sales", "fixed-product-sales"),
        ]
    ),
    help="Which table to make of a supply-use pair: products by products, of one recipe whoever "
    "makes it or of the recipes of its makers; industries by industries, with fixed customers of "
    "every industry or of every product.",
)
@click.option(
    "--factor",
    "factors",
    multiple=True,
    metavar="NAME",
    help="A factor to read of a published layout, again for each; * stands for anything "
    "[default: the first 40].",
)
@click.option(
    "--imports",
    type=click.Choice(["domestic", "total"]),
    help="Which coefficients to make of a table that tells imports (niot, a pair with U_imp): of "
    "domestic products alone, imports a factor; or of both together, demand less imports "
    "[default: domestic].",
)
@click.option(
    "--year",
    type=int,
    help="Which year of a source with several (niot, bea) [default: the newest].",
)
@option(
    "--blocks",
    default="auto",
    show_default=True,
    metavar="auto|K|by:LEVEL|FILE",
    help="Which products are stored together: as SOURCE says, else as flows suggest (auto); K "
    "blocks by flows; those that share a LEVEL, a further column of the product list or array of "
    "the .npz, or country and sector of ids like AUS|c1; or a CSV file id,block.",
)
@json_option
def import_command(
    source: Path,
    table: Path,
    form: str | None,
    kind: str,
    products: Path | None,
    model: str | None,
    factors: tuple[str, ...],
    imports: str | None,
    year: int | None,
    blocks: str,
) -> Answer:
    """Store SOURCE, a table in a published form, as TABLE, a new table directory.

    SOURCE is a file, or a folder as pymrio leaves it or with the two workbooks of BEA. It
    may also be a table directory or a bundled table, to be stored in other blocks. If TABLE exists
    already, this becomes its next version; older versions stay readable.
    """
    from ogas.cluster.tables import Reading, imported

    how = Reading(form, kind, products, model, factors, imports, year)
    return imported(source, table, how, blocks)


@click.command("export")
@table_argument
@click.argument("file", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(WRITTEN),
    help="The form of FILE [default: by its suffix; pymrio if it is a folder].",
)
@json_option
def export_command(table: str, file: Path, form: str | None) -> Answer:
    """Write TABLE to FILE: .npz (everything), .mtx, .csv or .parquet (edge list), square CSV.

    With --format pymrio, FILE is a folder, or a .zip of it.
    """
    from ogas.cluster.tables import exported

    return exported(table, file, form)


@click.command("generate")
@click.argument("recipe")
@click.argument("table", type=PATH)
@option("--products", type=click.IntRange(1), help="How many products [default: as the case says].")
@option("--inputs", type=float, help="Mean inputs per product.")
@option("--blocks", type=click.IntRange(1), help="How many blocks.")
@option("--radius", type=float, help="Rescale the column totals towards this spectral radius.")
@option("--seed", default=1, show_default=True, help="The table depends on this alone.")
@option(
    "--workers",
    type=click.IntRange(1),
    help="Blocks drawn at a time [default: one more than there are cores].",
)
@json_option
def generate_command(
    recipe: str,
    table: Path,
    products: int | None,
    inputs: float | None,
    blocks: int | None,
    radius: float | None,
    seed: int,
    workers: int | None,
) -> Answer:
    """Make a synthetic economy and store it as TABLE.

    RECIPE is name[:case][,variant=value]: sectors, sectors:S3,units=mixed ... Other names are ccm,
    triangular, circular, tns, nove, bernes and catalogue, published economies and sizes. A run that
    is interrupted or killed goes on where it was when the same command is given again.
    """
    from ogas.cluster.tables import generated
    from ogas.datasets.recipes import Parameters

    return generated(recipe, table, Parameters(products, inputs, blocks, radius, seed), workers)


@click.command("info")
@table_argument
@json_option
def info_command(table: str) -> Answer:
    """Sizes, blocks, what crosses between them, units, source, licence and versions of TABLE."""
    from ogas.cluster.tables import described

    return described(table)


@click.command("check")
@table_argument
@json_option
def check_command(table: str) -> Answer:
    """Is TABLE productive? If not, which products make it fail; and what else is odd about it."""
    from ogas.cluster.checking import checked

    return checked(table)
