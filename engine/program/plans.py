"""The plans that a program keeps: found by the kind of request they are for, bounded by what they take."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

from engine.program.compiled import Compiled

MAX_PLANS = 64
MAX_BYTES = 256 << 20  # of all of them, unless one alone takes more


class CacheInfo(NamedTuple):
    """How often a plan was there already, and what is kept now."""

    hits: int
    misses: int
    plans: int
    bytes: int


class Plans:
    """First come, first gone; a plan that was found since it came to the front gets a second chance.

    So a plan that is found is only marked: nothing moves, and threads may look at once.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Compiled] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = self._misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """What all of them take now; a plan may grow when it is used."""
        return sum([each.nbytes for each in tuple(self._kept.values())])

    @property
    def info(self) -> CacheInfo:
        """Counts since the program was made; two threads at once may leave one of them out."""
        return CacheInfo(self._hits, self._misses, len(self._kept), self.bytes)

    def find(self, key: Hashable) -> Compiled | None:
        """The plan for requests of this kind, if it is kept."""
        found = self._kept.get(key)
        if found is None:
            self._misses += 1
        else:
            self.used(found)
        return found

    def used(self, plan: Compiled) -> None:
        """Count a use of a plan that is at hand."""
        self._hits += 1
        plan.used = True

    def keep(self, key: Hashable, plan: Compiled) -> None:
        """Keep a new plan, the last one whatever its size; others go where there are too many."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = plan
            plan.used = True  # or it might be the one that goes
            taken = self.bytes
            while len(self._kept) > MAX_PLANS or (taken > MAX_BYTES and len(self._kept) > 1):
                key, oldest = self._kept.popitem(last=False)
                if oldest.used:
                    oldest.used = False
                    self._kept[key] = oldest
                else:
                    taken -= oldest.nbytes
            plan.used = False
