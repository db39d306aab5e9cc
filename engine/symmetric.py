"""From supply and use to one table: products by products, or industries by industries.

Four assumptions on who takes part in by-products, each with its function here (S, U, q, g: see
`ogas.engine.supply_use`):

    A  product technology    a product takes the same inputs, whoever makes it
    B  industry technology   an industry takes the same inputs, whatever it makes
    C  fixed industry sales  an industry has the same customers, whatever it sells
    D  fixed product sales   a product has the same customers, whoever makes it

A and B give products by products, C and D industries by industries. A and C invert S: they need as
many industries as products, and subtract, so that coefficients may come out negative. These are
kept; `largest_negatives` names them.

In every one x = A x + f holds, x = q or g; and where the primary inputs fill the columns,
Uᵀ e + Σ w = g, every column of A adds up to 1 with its primary inputs, and their totals stay.

References
----------
Eurostat (2008), Manual of Supply, Use and Input-Output Tables, ch. 11. United Nations (2018),
Handbook on Supply and Use Tables and Input-Output Tables, ch. 12. Miller and Blair (2009),
Input-Output Analysis, ch. 5.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array

from ogas.engine.square_supply import invert
from ogas.engine.supply_use import SupplyUse
from ogas.engine.table import Table, Vector, coefficients_from

IMPORTS = "imports"
NAMED = 5


def product_technology(accounts: SupplyUse) -> Table:
    """Return model A: products by products, every product with one recipe whoever makes it.

    An industry's inputs are the sum of the recipes of what it makes, U = A S, so ::

        A = U S⁻¹,   l = w S⁻¹,   x = q,   f = q − U e

    By-products tie recipes together: A is as dense as products hang together by common makers, and
    takes n solutions with the factors of S (5,000 products in groups of ten: 3 s).

    Returns
    -------
    Table
        Of the products; ``coefficients`` in money per money, factors per unit of money.

    Raises
    ------
    WrongUsageError, InvalidInputError, DoesNotFitError
        If S cannot be inverted, or the result not be held; see `ogas.engine.square_supply.invert`.

    References
    ----------
    Eurostat (2008), model A; ten Raa, Chakraborty and Small (1984).

    Examples
    --------
    Miller and Blair (2009), sect. 5.3: U = [[12, 8], [10, 7]], Sᵀ = [[90, 0], [10, 100]].

    >>> product_technology(_two_by_two()).coefficients.toarray().round(4).tolist()
    [[0.1333, 0.0667], [0.1111, 0.0589]]
    """
    inverse = invert(accounts)
    A = inverse.solve_transposed(csr_array(accounts.use.T)).T
    inputs = {name: inverse.vector_transposed(w) for name, w in accounts.inputs.items()}
    return _of_products(accounts, csr_array(A), inputs, "product technology")


def industry_technology(accounts: SupplyUse) -> Table:
    """Return model B: products by products, made as the industries make whatever they make.

    A product is made in the proportions in which industries supply it, Sᵀ q̂⁻¹ (market shares)::

        A = U ĝ⁻¹ Sᵀ q̂⁻¹,   l = w ĝ⁻¹ Sᵀ q̂⁻¹,   x = q,   f = q − U e

    Never negative where U and S are not, and rectangular tables will do. A product that no industry
    makes has an empty recipe, and its uses are a negative demand: it is imported.

    Returns
    -------
    Table
        Of the products.

    References
    ----------
    Eurostat (2008), model B; the method of the US Bureau of Economic Analysis.

    Examples
    --------
    >>> industry_technology(_two_by_two()).coefficients.toarray().round(4).tolist()
    [[0.1273, 0.0727], [0.1064, 0.0636]]
    """
    g = accounts.industry_output
    shares = _per(csr_array(accounts.supply.T), accounts.product_output)
    inputs = {name: _ratio(w, g) @ shares for name, w in accounts.inputs.items()}
    return _of_products(accounts, _per(accounts.use, g) @ shares, inputs, "industry technology")


def fixed_industry_sales(accounts: SupplyUse) -> Table:
    """Return model C: industries by industries, each with one set of customers for all it makes.

    What is delivered of a product is the sum of what its makers deliver, U = S ĝ⁻¹ Z, so ::

        A = ĝ S⁻¹ U ĝ⁻¹,   f = ĝ S⁻¹ (q − U e),   l = w ĝ⁻¹,   x = g

    Returns
    -------
    Table
        Of the industries. Its demand, too, may come out negative.

    Raises
    ------
    WrongUsageError, InvalidInputError, DoesNotFitError
        If S cannot be inverted, or the result not be held; see `ogas.engine.square_supply.invert`.

    References
    ----------
    Eurostat (2008), model C.

    Examples
    --------
    >>> fixed_industry_sales(_two_by_two()).coefficients.toarray().round(4).tolist()
    [[0.1222, 0.0664], [0.1222, 0.07]]
    """
    inverse = invert(accounts)
    g = accounts.industry_output
    A = diags_array(g) @ inverse.solve(_per(accounts.use, g))
    demand = g * inverse.vector(accounts.final_demand)
    return _of_industries(accounts, A, demand, {}, "fixed industry sales structure")


def fixed_product_sales(accounts: SupplyUse) -> Table:
    """Return model D: industries by industries, each product sold alike by all who make it.

    Whoever takes a product takes it from the industries in their market shares::

        A = Sᵀ q̂⁻¹ U ĝ⁻¹,   f = Sᵀ q̂⁻¹ (q − U e),   l = w ĝ⁻¹,   x = g

    Never negative where U and S are not, and rectangular tables will do. A product that no industry
    makes has no market shares: what is used of it goes into the factor ``imports``.

    Returns
    -------
    Table
        Of the industries.

    References
    ----------
    Eurostat (2008), model D, which most statistical offices use.

    Examples
    --------
    >>> fixed_product_sales(_two_by_two()).coefficients.toarray().round(4).tolist()
    [[0.12, 0.0655], [0.1244, 0.0709]]
    """
    q, g = accounts.product_output, accounts.industry_output
    shares = _per(csr_array(accounts.supply.T), q)
    unmade = np.asarray(accounts.use[q == 0].sum(axis=0), dtype=np.float64)
    bought = {IMPORTS: unmade} if unmade.any() else {}
    A = shares @ _per(accounts.use, g)
    demand = shares @ accounts.final_demand
    return _of_industries(accounts, A, demand, bought, "fixed product sales structure")


#: What each model is called on the command line.
MODELS: Mapping[str, Callable[[SupplyUse], Table]] = {
    "product-technology": product_technology,
    "industry-technology": industry_technology,
    "fixed-industry-sales": fixed_industry_sales,
    "fixed-product-sales": fixed_product_sales,
}


def largest_negatives(table: Table, most: int = NAMED) -> tuple[int, list[tuple[str, str, float]]]:
    """Return how many coefficients are negative, and the largest of them by flow.

    Returns
    -------
    int
    list of (supplier, user, flow)
        ``A[i, j] x_j``, the most negative first; at most ``most``.

    Examples
    --------
    >>> table = Table(coefficients_from(np.array([[0, -0.5], [0.1, 0]])), np.array(["a", "b"]),
    ...               output=np.array([2.0, 4.0]))
    >>> largest_negatives(table)
    (1, [('a', 'b', -2.0)])
    """
    A = table.coefficients
    below = np.flatnonzero(A.data < 0)
    output = np.ones(len(table)) if table.output is None else table.output
    flows = A.data[below] * output[A.indices[below]]
    order = np.argsort(flows, kind="stable")[:most]
    rows = np.searchsorted(A.indptr, below[order], side="right") - 1
    users = A.indices[below[order]]
    named = zip(table.ids[rows].tolist(), table.ids[users].tolist(), flows[order], strict=True)
    return below.size, [(str(row), str(user), float(flow)) for row, user, flow in named]


def _of_products(
    accounts: SupplyUse, A: csr_array, factors: Mapping[str, Vector], method: str
) -> Table:
    return Table(
        coefficients_from(A),
        accounts.products,
        demand=accounts.final_demand,
        factors=factors,
        output=accounts.product_output,
        meta={"method": f"product by product, {method}"},
    )


def _of_industries(
    accounts: SupplyUse, A: csr_array, demand: Vector, bought: Mapping[str, Vector], method: str
) -> Table:
    g = accounts.industry_output
    inputs = dict(accounts.inputs)
    for name, amounts in bought.items():
        inputs[name] = inputs.get(name, 0.0) + amounts
    return Table(
        coefficients_from(A),
        accounts.industries,
        demand=demand,
        factors={name: _ratio(w, g) for name, w in inputs.items()},
        output=g,
        meta={"method": f"industry by industry, {method}"},
    )


def _per(matrix: csr_array, totals: Vector) -> csr_array:
    """Divide every column by its total; those of nothing are empty."""
    data = _ratio(matrix.data, totals[matrix.indices])
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _ratio(amounts: Vector, totals: Vector) -> Vector:
    return np.divide(amounts, totals, out=np.zeros(len(amounts)), where=totals != 0)


def _two_by_two() -> SupplyUse:
    """Return the example of Miller and Blair (2009), ch. 5."""
    names: npt.NDArray[np.str_] = np.array(["1", "2"])
    supply, use = np.array([[90.0, 10.0], [0.0, 100.0]]), np.array([[12.0, 8.0], [10.0, 7.0]])
    return SupplyUse(csr_array(supply), csr_array(use), names, names)
