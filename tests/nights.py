"""A table with an inbox, and nights on it, without the command line."""

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from ogas.cluster.nights.night import nights
from ogas.cluster.nights.specification import Night
from ogas.datasets.plans import read_plan
from ogas.datasets.store import open_store, publish
from ogas.datasets.versions import current_plan

HEAD = "change,of,product,input,value,block\n"
FIRST = date(2026, 11, 1)


@dataclass
class Place:
    """A folder with a table and an inbox."""

    folder: Path
    digits: int = 3

    @property
    def spec(self):
        return Night(self.folder / "t", self.folder / "inbox", digits=self.digits, quiet=0)

    @staticmethod
    def made(folder, table, digits=3):
        place = Place(folder, digits)
        place.spec.inbox.mkdir(parents=True)
        publish(place.spec.table, table)
        return place

    def copy(self, folder):
        shutil.copytree(self.folder, folder)
        return Place(folder, self.digits)

    def drop(self, name, *rows):
        file = self.spec.inbox / name
        file.write_text(HEAD + "".join(f"{row}\n" for row in rows))
        os.utime(file, (0, 0))

    def night(self, day):
        return nights(self.spec, day)

    @property
    def version(self):
        return open_store(self.spec.table).version

    def plan_within(self, x):
        """Whether the published plan is that of the current version, certified, and encloses x."""
        store, file = open_store(self.spec.table), current_plan(self.spec.table)
        if file is None:
            return False
        plan = read_plan(file)
        (column,) = plan.columns
        assert plan.facts["table_digest"] == store.digest
        assert plan.facts["digits_certified"] >= self.digits
        margin = 1e-12 * np.abs(x)
        return bool(((column.lower <= x + margin) & (x - margin <= column.upper)).all())


def output_of(table):
    """The true plan, by the dense inverse."""
    return np.linalg.solve(np.eye(len(table)) - table.coefficients.toarray(), table.demand)
