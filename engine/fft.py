"""torch.fft: the ops of that namespace."""

from typing import Any

from engine.namespace import members

_op, __dir__ = members("fft")


def __getattr__(name: str) -> Any:
    from engine.eager.factories import FACTORIES

    return FACTORIES.get(f"fft.{name}") or _op(name)
