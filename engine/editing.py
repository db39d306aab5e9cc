"""Editing blocks: some recipes replaced, some products come or go; the rest as it was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ogas.engine.block import Block, part_of
from ogas.engine.rows import Rows
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
    found = [
        (rows, block.products[part.indices[entries]], part.data[entries].astype(np.float64))
        for part, entries, rows in _parts_of(block, products)
    ]
    rows, users, data = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(users, kind="stable")
    rows, users, data = rows[order], users[order], data[order]
    bounds = np.searchsorted(users, products), np.searchsorted(users, products, side="right")
    for product, first, last in zip(products.tolist(), *bounds, strict=True):
        yield product, Recipe(rows[first:last], data[first:last])


def _parts_of(block: Block, products: Integers) -> Iterator[tuple[Rows, Integers, Integers]]:
    """Yield the two parts of a block, which entries are of some products, and the rows of these."""
    is_of = np.isin(block.products, products)
    for names, part in ((block.products, block.own), (block.ext, block.orders)):
        entries = np.flatnonzero(is_of[part.indices])
        yield part, entries, names[np.searchsorted(part.indptr, entries, side="right") - 1]


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
    if np.array_equal(block.products, products):
        again = _with_amounts(block, recipes)
        if again is not None:
            return again
    entries = entries_of(block)
    new = np.array(sorted(recipes), dtype=np.int64)
    stays = np.isin(entries.users, products) & ~np.isin(entries.users, new)
    found = [recipes[product] for product in new.tolist()]
    rows = np.concatenate([entries.rows[stays], *(recipe.inputs for recipe in found)])
    data = np.concatenate([entries.data[stays], *(recipe.amounts for recipe in found)])
    counts = [len(recipe.inputs) for recipe in found]
    users = np.concatenate([entries.users[stays], np.repeat(new, counts)])
    return part_of(products, rows, np.searchsorted(products, users), data)


def _with_amounts(block: Block, recipes: Mapping[int, Recipe]) -> Block | None:
    """Return a block with other amounts of the same inputs; None if the inputs differ.

    Most changes are of this kind, and leave every entry where it is: a tenth of the work.
    """
    products = np.array(sorted(recipes), dtype=np.int64)
    if not products.size:
        return block
    found = [recipes[product] for product in products.tolist()]
    amounts = np.concatenate([recipe.amounts for recipe in found])
    if not amounts.size or not amounts.all():
        return None
    span = int(max(block.products[-1], block.ext.max(initial=0))) + 1
    users = np.repeat(np.searchsorted(block.products, products), [len(one.inputs) for one in found])
    keys = users * span + np.concatenate([recipe.inputs for recipe in found])
    order = np.argsort(keys, kind="stable")
    keys, amounts = keys[order], amounts[order]
    parts, count = [], 0
    for part, entries, rows in _parts_of(block, products):
        here = part.indices[entries].astype(np.int64) * span + rows
        place = np.minimum(np.searchsorted(keys, here), len(keys) - 1)
        if not np.array_equal(keys[place], here):
            return None
        data = part.data.astype(np.float64)
        data[entries] = amounts[place]
        parts.append(replace(part, data=data))
        count += len(entries)
    return replace(block, own=parts[0], orders=parts[1]) if count == len(keys) else None


def users_of(block: Block, products: Integers) -> dict[int, int]:
    """Return, for those of some products that a block uses, a user of each; by position."""
    entries = entries_of(block)
    places = np.flatnonzero(np.isin(entries.rows, products))
    return dict(zip(entries.rows[places].tolist(), entries.users[places].tolist(), strict=True))
