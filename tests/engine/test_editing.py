"""Blocks with some recipes replaced are those of the table with these recipes."""

import numpy as np
import problems
import pytest
from scipy.sparse import csc_array

from ogas.engine.block import Cut, assemble
from ogas.engine.editing import Recipe, edited, recipes_of
from ogas.engine.table import coefficients_from

SEED = 73


def changed(recipe, draw, kind):
    """A recipe with other amounts, or with other inputs, too."""
    amounts = recipe.amounts * draw.uniform(0.5, 1.5, len(recipe.amounts))
    if kind == "amounts":
        shuffled = draw.permutation(len(amounts))
        return Recipe(recipe.inputs[shuffled], amounts[shuffled])
    if kind == "fewer":
        return Recipe(recipe.inputs[1:], amounts[1:])
    if kind == "nothing":
        return Recipe(recipe.inputs[:0], amounts[:0])
    others = np.setdiff1d(np.arange(300), recipe.inputs)[: len(amounts)]
    return Recipe(others, amounts[: len(others)])


@pytest.mark.parametrize("kind", ["amounts", "fewer", "nothing", "others", "mixed"])
def test_edited_blocks_are_those_of_the_edited_table(kind):
    table = problems.solvable("sectors:S2,signed,imports=0.4,units=mixed")
    draw = np.random.default_rng(SEED)
    dense, blocks = table.coefficients.toarray(), []
    for block in Cut(table):
        products = draw.choice(block.products, min(3, len(block.products)), replace=False)
        kinds = iter(["amounts", "fewer", "others"] if kind == "mixed" else [kind] * 3)
        recipes = {
            product: changed(recipe, draw, next(kinds))
            for product, recipe in recipes_of(block, np.sort(products))
        }
        for product, recipe in recipes.items():
            dense[:, product] = 0.0
            dense[recipe.inputs, product] = recipe.amounts
        blocks.append(edited(block, block.products, recipes))
    wanted = coefficients_from(csc_array(dense).tocoo())
    found = assemble(blocks, len(table))
    for name in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name))


def test_recipes_are_the_columns_of_the_table():
    table = problems.solvable("sectors:S1")
    columns = table.coefficients.tocsc()
    for block in Cut(table):
        for product, recipe in recipes_of(block, block.products):
            order = np.argsort(recipe.inputs)
            column = columns[:, [product]].tocoo()
            assert np.array_equal(recipe.inputs[order], column.row)
            assert np.array_equal(recipe.amounts[order], column.data)
