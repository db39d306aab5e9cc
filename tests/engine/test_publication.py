"""What is published proves itself: output and witness certify bounds as narrow."""

import numpy as np
import problems
import pytest

from ogas.datasets import gallery
from ogas.datasets.recipes import Parameters
from ogas.engine.balance import quantities
from ogas.engine.certificate import certify
from ogas.engine.iterate import Precision, solve
from ogas.engine.outcome import Outcome
from ogas.kernels import reference

RECIPES = [
    "sectors:S1,imports=.3",
    "sectors:S2,units=mixed,imports=.3",
    "sectors:S3,signed",
    "sectors:S4,households",
    "sectors:S4,tree,units=mixed",
    "sectors:S1,signed,imports",
]


@pytest.mark.parametrize("method", [*problems.WHOLE, "orders-and-tables"])
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("figures", "delta"), [(3, 0.0), (6, 0.0), (10, 0.0), (1, 1e-5)])
def test_output_and_witness_prove_the_published_bounds_anew(recipe, method, figures, delta):
    table = gallery.generate(recipe, Parameters(products=300, seed=5))
    balance = quantities(table, delta=delta)
    solution = problems.solved(table, "quantities", method, figures, delta=delta)
    assert solution.outcome is Outcome.CERTIFIED
    published = solution.certificate
    anew = certify(
        balance,
        published.output,
        published.witness,
        certificate_pass=reference.certificate_pass,
    )
    assert anew.digits_certified >= figures
    allowed = 1.001 * published.relative_half_widths + 1e-15
    assert (anew.relative_half_widths <= allowed).all()


@pytest.mark.parametrize("delta", [0.0, 5e-4])
def test_products_that_nobody_wants_stand_in_the_way_of_no_proof(delta):
    """Many zeros in units eight orders apart, of coefficients that are known to three digits."""
    table = gallery.generate("sectors:S1,units=mixed", Parameters(products=300, seed=9))
    wanted = np.zeros(len(table))
    wanted[7] = 1.0  # raw: whatever uses it is not needed
    balance = quantities(table, quantities(table).demand.exact(wanted), delta=delta)
    solution = solve(balance, precision=Precision(figures=1))
    assert solution.outcome is Outcome.CERTIFIED
    tree = gallery.generate("sectors:S4,tree,units=mixed", Parameters(products=300, seed=9))
    solution = solve(quantities(tree, delta=delta), precision=Precision(figures=1))
    assert solution.outcome is Outcome.CERTIFIED
    assert solution.certificate.structural_zeros.any()
