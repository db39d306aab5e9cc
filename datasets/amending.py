"""Amending: what changes make of a table, block by block.

Everything is looked at before anything is written, and every fault is told at once. Only blocks
whose recipes or products change are read and written again; the others are the same files.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ogas.datasets.changes import (
    COEFFICIENT,
    DEMAND,
    PRICE,
    Change,
    Changes,
    ChangesError,
    Fault,
)
from ogas.datasets.columns import positions
from ogas.datasets.store import Store
from ogas.datasets.stored_block import BlockEntry, write_block
from ogas.engine.block import Block
from ogas.engine.editing import Recipe, edited, recipes_of, users_of
from ogas.engine.header import Header
from ogas.engine.source import InMemory, Source
from ogas.engine.streams import File

NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Move:
    """By how much a row moves the coefficients it is about: ``ln(new / old)``."""

    change: Change
    ratio: float


@dataclass(frozen=True, eq=False)
class Amended:
    """A table as changes have it; nothing of it is written yet.

    Attributes
    ----------
    store : Store
        The version that was changed.
    header : Header
    touched : tuple of int
        The blocks that differ.
    recipes : mapping of position to Recipe
        Those that changed, or came to another block.
    moves : tuple of Move
        By how much coefficients moved that were there before, row by row.
    """

    store: Store
    header: Header
    touched: tuple[int, ...]
    recipes: Mapping[int, Recipe]
    moves: tuple["Move", ...] = ()

    def block(self, number: int) -> Block:
        """Return a block as it is now."""
        before = self.store.block(number)
        if number not in self.touched:
            return before
        labels = self.header.blocks
        products = (
            np.arange(len(self.header)) if labels is None else np.flatnonzero(labels == number)
        )
        mine = {
            product: self.recipes[product]
            for product in products.tolist()
            if product in self.recipes
        }
        return edited(before, products, mine)

    def source(self) -> Source:
        """Return the table as it is now, block by block."""
        before = self.store.manifest.content
        labels = self.header.blocks
        sizes = (len(self.header),) if labels is None else tuple(np.bincount(labels).tolist())
        untouched = sum(
            entry.nonzeros for k, entry in enumerate(before.blocks) if k not in self.touched
        )
        blocks = {number: self.block(number) for number in self.touched}
        nonzeros = untouched + sum(block.nonzeros for block in blocks.values())

        def whole(number: int) -> File[Block]:
            return InMemory(blocks[number]) if number in blocks else self.store.whole(number)

        return Source(self.header, nonzeros, sizes, whole)

    def written(self) -> tuple[BlockEntry, ...]:
        """Write the blocks that differ, and return the entries of all.

        The lock of the store is held (`ogas.datasets.publishing`).
        """
        path, kind = self.store.path, self.header.value_type
        entries = list(self.store.manifest.content.blocks)
        for number in self.touched:
            entries[number] = write_block(path, self.block(number), kind)
        return tuple(entries)


def amended(store: Store, changes: Changes) -> Amended:
    """Make changes to a version of a table; reads the blocks that they touch, and writes nothing.

    Where products are retired, all blocks are read, to see that nobody uses them.

    Raises
    ------
    ChangesError
        With every fault.
    """
    book = _Book(store.header())
    for change in changes.rows:
        book.enter(change)
    header = book.closed()
    recipes = _recipes(store, book)
    found = Amended(store, header, tuple(sorted(book.touched)), recipes, tuple(book.moves))
    if book.retired:
        book.faults += _still_used(map(found.block, range(book.blocks)), book)
    if book.faults:
        raise ChangesError(book.faults)
    return found


@dataclass
class _Book:
    """Where the changes are entered, one by one; faults are noted, and the rest goes on."""

    before: Header
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        header = self.before
        self.place = positions(header.ids)
        self.ids = [str(name) for name in header.ids.tolist()]
        self.vectors: dict[str, list[Any]] = {}
        self.orders: dict[int, list[Change | None]] = defaultdict(list)
        self.retired: dict[int, Change] = {}
        labels = np.zeros(len(header), np.int64) if header.blocks is None else header.blocks
        self.home = labels.tolist()
        self.blocks = int(labels.max()) + 1
        self.touched: set[int] = set()
        self.moved: set[int] = set()
        self.added: list[Change] = []
        self.moves: list[Move] = []

    def enter(self, change: Change) -> None:
        """Enter one row."""
        try:
            getattr(self, f"_{change.verb}")(change)
        except LookupError as error:
            self.faults.append(Fault(change.where, str(error.args[0])))

    def closed(self) -> Header:
        """Return the header when all is entered."""
        header = self.before
        if emptied := sorted(set(range(self.blocks)) - set(self.home)):
            self.faults.append(Fault("all changes", f"block {emptied[0]} is left without products"))
        changed: dict[str, Any] = {name: np.array(values) for name, values in self._grown().items()}
        factors = {name: changed.pop(name, values) for name, values in header.factors.items()}
        if header.blocks is not None:
            changed["blocks"] = np.array(self.home, dtype=np.int64)
        return replace(header, factors=factors, **changed)

    def moved_by(self, change: Change, factor: float) -> None:
        """Note by how much a row moves coefficients; what comes, goes or turns does not move."""
        if factor > 0:
            self.moves.append(Move(change, math.log(factor)))

    # ---- the verbs ------------------------------------------------------------------------------

    def _set(self, change: Change) -> None:
        product = self._known(change.product)
        if change.of == COEFFICIENT:
            self._known(change.input)
            self._order(product, change)
            return
        if change.of == PRICE and change.value <= 0:
            raise LookupError(f"a price of {change.value:g} is none: it must be above 0")
        self._vector(change.of)[product] = change.value

    def _scale(self, change: Change) -> None:
        if change.of == COEFFICIENT:
            if change.input:
                self._known(change.input)
            self._order(self._known(change.product), change)
            return
        if change.of == PRICE and change.value <= 0:
            raise LookupError(f"prices cannot be {change.value:g} times as high")
        products = [self._known(change.product)] if change.product else range(len(self.ids))
        values = self._vector(change.of)
        for product in products:
            values[product] *= change.value

    def _add(self, change: Change) -> None:
        if change.product in self.place:
            raise LookupError(f"there is a product {change.product!r} already")
        ids = self.before.ids
        if ids.dtype.kind == "i" and str(_integer(change.product)) != change.product:
            raise LookupError(f"the ids of this table are integers, and {change.product!r} is none")
        block = self._block(change.block)
        self.place[change.product] = len(self.ids)
        self.orders[len(self.ids)].append(None)
        self.ids.append(change.product)
        self.home.append(block)
        self.touched.add(block)
        self.added.append(change)
        for values in self.vectors.values():
            values.append(0.0)

    def _retire(self, change: Change) -> None:
        product = self._known(change.product)
        self._order(product, None)
        for name in (*self.before.factors, DEMAND):
            if name != DEMAND or self.before.demand is not None:
                self._vector(name)[product] = 0.0
        self.retired[product] = change

    def _move(self, change: Change) -> None:
        product, block = self._known(change.product), self._block(change.block)
        if self.before.blocks is None:
            raise LookupError("the table is one block: there is nowhere to move to")
        self.touched |= {self.home[product], block}
        self.home[product] = block
        self.moved.add(product)

    # ---- what they look up ----------------------------------------------------------------------

    def _known(self, name: str) -> int:
        if name not in self.place:
            raise LookupError(f"there is no product {name!r}")
        if self.place[name] in self.retired:
            raise LookupError(f"the product {name!r} is retired")
        return self.place[name]

    def _block(self, text: str) -> int:
        if self.before.blocks is None:
            if text not in ("", "0"):
                raise LookupError(f"there is no block {text!r}: the table is one block")
            return 0
        number = _integer(text)
        if not 0 <= number < self.blocks:
            raise LookupError(f"there is no block {text!r}; they are 0 to {self.blocks - 1:,}")
        return number

    def _vector(self, name: str) -> list[Any]:
        """Return the numbers of a vector, to be changed."""
        if name not in self.vectors:
            known = {DEMAND: self.before.demand, PRICE: self.before.price, **self.before.factors}
            values = known.get(name)
            if values is None:
                there = ", ".join(key for key, value in known.items() if value is not None)
                raise LookupError(f"the table has no {name!r}; it has: coefficient, {there}")
            self.vectors[name] = [*values.tolist(), *[0.0] * len(self.added)]
        return self.vectors[name]

    def _order(self, product: int, change: Change | None) -> None:
        """Have a recipe changed; None leaves nothing of it."""
        self.orders[product].append(change)
        self.touched.add(self.home[product])

    def _grown(self) -> dict[str, Any]:
        """Return all vectors and labels that changed, with a place for every new product."""
        header = self.before
        found: dict[str, Any] = {**self.vectors}
        if not self.added:
            return found
        vectors = {DEMAND: header.demand, PRICE: header.price, "output": header.output}
        for name, values in (vectors | dict(header.factors)).items():
            if name not in found and values is not None:
                found[name] = [*values.tolist(), *[0.0] * len(self.added)]
        for change in self.added:
            if header.price is not None and found[PRICE][self.place[change.product]] == 0.0:
                what = f"{change.product!r} has no price, and all others do; set one"
                self.faults.append(Fault(change.where, what))
        found["ids"] = np.array(self.ids, dtype=None if header.ids.dtype.kind == "U" else np.int64)
        if header.names is not None:
            names = [change.name or change.product for change in self.added]
            found["names"] = [*header.names.tolist(), *names]
        if not isinstance(header.units, str):
            found["units"] = [*header.units.tolist(), *(change.unit for change in self.added)]
        if header.rank is not None:
            homes = np.array(self.home)
            ranks = np.append(header.rank, np.zeros(len(self.added)))
            for product in range(len(header), len(homes)):
                mates = np.flatnonzero(homes[: len(header)] == homes[product])
                ranks[product] = float(np.mean(header.rank[mates])) if mates.size else 0.0
            found["rank"] = ranks
        return found


def _recipes(store: Store, book: _Book) -> dict[int, Recipe]:
    """Return all recipes that are new, or new to their block; note what cannot be done to them."""
    old = len(book.before)
    labels = np.zeros(old, np.int64) if book.before.blocks is None else book.before.blocks
    wanted = np.array(sorted({*book.orders, *book.moved}), dtype=np.int64)
    found = {product: Recipe(NOTHING, np.zeros(0)) for product in wanted[wanted >= old].tolist()}
    wanted = wanted[wanted < old]
    for number in np.unique(labels[wanted]).tolist():
        found |= recipes_of(store.block(number), wanted[labels[wanted] == number])
    return {
        product: _followed(recipe, book.orders.get(product, ()), book)
        for product, recipe in found.items()
    }


def _followed(recipe: Recipe, orders: Sequence[Change | None], book: _Book) -> Recipe:
    """Return a recipe after what was ordered of it."""
    amounts = dict(zip(recipe.inputs.tolist(), recipe.amounts.tolist(), strict=True))
    for change in orders:
        if change is None:
            amounts.clear()
        elif not change.input:
            amounts = {supplier: change.value * amount for supplier, amount in amounts.items()}
            book.moved_by(change, change.value)
        elif change.verb == "set":
            before = amounts.get(book.place[change.input], 0.0)
            amounts[book.place[change.input]] = change.value
            book.moved_by(change, change.value / before if before else 0.0)
        elif book.place[change.input] in amounts:
            amounts[book.place[change.input]] *= change.value
            book.moved_by(change, change.value)
        else:
            what = f"{change.product!r} takes nothing of {change.input!r} that could be scaled"
            book.faults.append(Fault(change.where, what))
    kept = {supplier: amount for supplier, amount in amounts.items() if amount != 0.0}
    values = np.array(list(kept.values()), dtype=np.float64)
    if book.before.value_type == "float32":  # the table is those numbers
        values = values.astype(np.float32).astype(np.float64)
    return Recipe(np.array(list(kept), dtype=np.int64), values)


def _still_used(blocks: Iterable[Block], book: _Book) -> list[Fault]:
    """Return a fault for every retired product that somebody still uses."""
    retired = np.array(sorted(book.retired), dtype=np.int64)
    users: dict[int, int] = {}
    for block in blocks:
        users |= users_of(block, retired)
    return [
        Fault(
            book.retired[product].where,
            f"{book.ids[product]!r} cannot be retired: {book.ids[user]!r} still uses it",
        )
        for product, user in sorted(users.items())
    ]


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1
