"""Several shares in one process, each in a thread: what workers do, without a network."""

import queue
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ogas.engine.mail import Holding
from ogas.engine.sectors import Reading, arrange
from ogas.engine.share import Share

DEADLINE = 60.0


@dataclass
class Office:
    """The mail boxes between shares: parcels arrive in the order in which they were sent."""

    boxes: dict = field(default_factory=dict)
    sent: int = 0

    def post_of(self, share):
        return Post(self, share)

    def box(self, sender, receiver):
        return self.boxes.setdefault((sender, receiver), queue.Queue())


@dataclass
class Post:
    """The post of one share."""

    office: Office
    share: int

    def send(self, parcels):
        for to, parcel in parcels.items():
            assert to != self.share
            self.office.sent += parcel.nbytes
            self.office.box(self.share, to).put(np.array(parcel))

    def receive(self, senders):
        return {one: self.office.box(one, self.share).get(timeout=DEADLINE) for one in senders}


@dataclass
class SeveralShares:
    """An exchange with the blocks dealt out to some shares; see `ogas.engine.exchange.Load`.

    ``deal(m)`` returns the share of each of m blocks.
    """

    deal: object
    office: Office = field(default_factory=Office)
    streamed: frozenset = frozenset()

    def __call__(self, source, layout, form):
        self.holders = np.asarray(self.deal(layout.blocks), dtype=np.int64)
        assert len(source.sizes) == layout.blocks, "pieces of a block stay together"
        self.pool = ThreadPoolExecutor(int(self.holders.max()) + 1)

        def load(share):
            holding = Holding(self.holders, share)
            mine = holding.numbers.tolist()
            reading = Reading(source.whole, source.files, self.streamed)
            sectors = arrange(reading, mine, layout, form)
            post = self.office.post_of(share)
            return Share.of(sectors, layout, holding, post, is_transposed=form.is_transposed)

        self.shares = list(self.pool.map(load, range(int(self.holders.max()) + 1)))
        return self

    def ask(self, step, *arguments, each=None):
        def take(share):
            mine = None if each is None else [each[number] for number in share.numbers]
            return zip(share.numbers, share.take(step, arguments, mine), strict=True)

        answers = dict(pair for found in self.pool.map(take, self.shares) for pair in found)
        assert not any(box.qsize() > 2 for box in self.office.boxes.values())
        return [answers[number] for number in range(len(answers))]
