"""What a loop is, apart from what is asked of it: its bodies, its lengths, and where its results are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.control.body import Body, placeholder
from engine.control.history import stacked
from engine.dtypes import bool_, int64
from engine.flow import RECORD
from engine.graph import Value
from engine.levels import Levels, merged
from engine.types import Type

LEAD = 3  # operands before the carried values: how many iterations, generator states, masks


@dataclass(frozen=True, slots=True)
class Spec:
    """What a loop is. `limit` bounds its iterations; reaching it is an error if `strict`. `size` is the
    length of its sequences, `kept` that of its histories. `masks` are the levels that it is masked over.
    `replays`: its random numbers are those of the states that it is given, each with that from before the
    condition and that from before the body; `inside`: the latter. `primal`: a statement's own."""

    name: str
    body: Body
    carried: int
    xs: int
    size: int
    kept: int
    limit: int
    cond: Body | None = None
    counted: bool = False  # an operand says how many iterations there are
    strict: bool = True
    reverse: bool = False
    masks: Levels | None = None
    replays: bool = False
    inside: bool = False
    every: int = 1
    primal: bool = False

    @property
    def ys(self) -> int:
        return len(self.body.outputs) - self.carried

    @property
    def written(self) -> list[Value]:
        """Values that stand for an entry of each sequence that it writes. In a masked loop an entry is told
        apart for each sample, though the body gave the same to all."""
        values = self.body.outputs[self.carried :]
        return [placeholder(y, merged(y.levels, self.masks)) if self.masks else y for y in values]

    @property
    def draws(self) -> bool:
        """Whether it draws from the program's generator."""
        return not self.replays and (self.body.draws or bool(self.cond and self.cond.draws))

    @property
    def captured(self) -> list[Value]:
        """The placeholders of values from around it."""
        return self.body.inputs[self.carried + self.xs :]

    def varied(self, changed: Sequence[bool]) -> list[bool]:
        """Which outputs of the body depend, sooner or later, on the inputs that `changed` tells."""
        found = list(changed)
        while True:
            known = self.body.varied([v for v, is_ in zip(self.body.inputs, found, strict=True) if is_])
            more = [y in known for y in self.body.outputs]
            carried = [a or b for a, b in zip(found, more[: self.carried], strict=False)]
            if carried == found[: self.carried]:
                return carried + more[self.carried :]
            found[: self.carried] = carried

    def types(self) -> list[Type]:
        """The types of its results."""
        ys = [stacked(y, self.size) for y in self.body.outputs[self.carried :]]
        carried = self.body.inputs[: self.carried]
        histories = [stacked(value, self.kept) for value in carried]
        masks = Type((self.kept,), bool_)
        return [*(v.meta for v in carried), *ys, *histories, RECORD, masks, Type((), int64), RECORD]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the results of a loop are."""

    carried: slice
    ys: slice
    histories: slice
    states: int
    masks: int
    count: int
    record: int

    @classmethod
    def of(cls, spec: Spec) -> Places:
        a, b = spec.carried, spec.carried + spec.ys
        end = b + a
        return cls(slice(0, a), slice(a, b), slice(b, end), end, end + 1, end + 2, end + 3)
