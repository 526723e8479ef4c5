"""The samples of the registry as requests to programs: routes, and the field `batch`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import engine
from tests.engine.building import Json
from tests.engine.harness import Array, Sampled
from tests.engine.sampling import Programs


class Requests(Programs):
    """Routes of a program. (Second derivatives by a body, as there.)"""

    def __init__(self, sampled: Sampled) -> None:
        super().__init__(sampled)
        self._program = engine.Program(self._made.graph)

    def _asked(self, points: Sequence[Array]) -> dict[str, engine.Tensor]:
        return self._made.tensors(**self._named(points))

    def _cotangents(self, v: Sequence[Array]) -> Any:
        return {name: engine.tensor(each) for name, each in zip(self._yields, v, strict=True)}

    def _batch(self, dims: Sequence[int | None], grads: str = "per_sample") -> Json:
        names = [name for name, dim in zip(self._made.leaves, dims, strict=True) if dim == 0]
        return {"inputs": names, "randomness": "same", "grads": grads}

    def _pulled(self, points: Sequence[Array], v: Sequence[Array], **settings: Any) -> list[Array]:
        found = self._program.vjp(self._asked(points), self._cotangents(v), outputs=self._yields, **settings)
        return [found.derivative[name].array for name in self._made.leaves]

    def outputs(self, points: Sequence[Array]) -> list[Array]:
        found = self._program.forward(self._asked(points), self._yields)
        return [found.outputs[name].array for name in self._yields]

    def jvp(self, points: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        along = {name: engine.tensor(each) for name, each in self._named(tangents).items()}
        found = self._program.jvp(self._asked(points), along, outputs=self._yields)
        return [found.derivative[name].array for name in self._yields]

    def vjp(self, points: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        return self._pulled(points, cotangents)

    def batched(self, points: Sequence[Array], dims: Sequence[int | None]) -> list[Array]:
        found = self._program.forward(self._asked(points), self._yields, batch=self._batch(dims))
        return [found.outputs[name].array for name in self._yields]

    def batched_vjp(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        return self._pulled(points, v, batch=self._batch(dims))

    def vjp_of_batch(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        return self._pulled(points, v, batch=self._batch(dims, "sum"))
