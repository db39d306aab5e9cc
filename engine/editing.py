"""Editing blocks: some recipes replaced, some products come or go; the rest as it was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ogas.engine.block import Block, part_of
from ogas.engine.table import Integers, Vector


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a unit of a product takes.

    Attributes
    ----------
    inputs : (k,) int64
        Positions in the table's order, each once.
    amounts : (k,) float64
    """

    inputs: Integers
    amounts: Vector


@dataclass(frozen=True, eq=False)
class Entries:
    """The coefficients of a block, one by one: ``A[rows[k], users[k]] = data[k]``."""

    rows: Integers
    users: Integers
    data: Vector


def entries_of(block: Block) -> Entries:
    """Return all coefficients of a block."""
    parts = ((block.products, block.own), (block.ext, block.orders))
    return Entries(
        np.concatenate([np.repeat(names, np.diff(part.indptr)) for names, part in parts]),
        np.concatenate([block.products[part.indices] for _, part in parts]),
        np.concatenate([part.data.astype(np.float64) for _, part in parts]),
    )


def recipes_of(block: Block, products: Integers) -> Iterator[tuple[int, Recipe]]:
    """Yield the recipes of some products of a block, by position."""
    entries = entries_of(block)
    kept = np.flatnonzero(np.isin(entries.users, products))
    kept = kept[np.argsort(entries.users[kept], kind="stable")]
    users = entries.users[kept]
    bounds = np.searchsorted(users, products), np.searchsorted(users, products, side="right")
    for product, first, last in zip(products.tolist(), *bounds, strict=True):
        some = kept[first:last]
        yield product, Recipe(entries.rows[some], entries.data[some])


def edited(block: Block, products: Integers, recipes: Mapping[int, Recipe]) -> Block:
    """Return a block with other products, and other recipes for some of them.

    Parameters
    ----------
    block : Block
        As it was.
    products : (b,) int64, ascending
        Those it has now.
    recipes : mapping of position to Recipe
        New ones, among them those of all products that are new to the block.
    """
    entries = entries_of(block)
    new = np.array(sorted(recipes), dtype=np.int64)
    stays = np.isin(entries.users, products) & ~np.isin(entries.users, new)
    found = [recipes[product] for product in new.tolist()]
    rows = np.concatenate([entries.rows[stays], *(recipe.inputs for recipe in found)])
    data = np.concatenate([entries.data[stays], *(recipe.amounts for recipe in found)])
    counts = [len(recipe.inputs) for recipe in found]
    users = np.concatenate([entries.users[stays], np.repeat(new, counts)])
    return part_of(products, rows, np.searchsorted(products, users), data)


def users_of(block: Block, products: Integers) -> dict[int, int]:
    """Return, for those of some products that a block uses, a user of each; by position."""
    entries = entries_of(block)
    places = np.flatnonzero(np.isin(entries.rows, products))
    return dict(zip(entries.rows[places].tolist(), entries.users[places].tolist(), strict=True))
