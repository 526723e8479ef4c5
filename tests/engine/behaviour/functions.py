"""Custom Functions that several scenarios use."""

from typing import Any

from tests.engine.behaviour import Session


def make(s: Session, forward: Any, backward: Any, name: str = "Mine", **more: Any) -> Any:
    methods = {"forward": forward, "backward": backward, **more}
    base = s.torch.autograd.Function
    return type(name, (base,), {key: staticmethod(each) for key, each in methods.items()})


def exp(s: Session) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y

    return make(s, forward, backward, "Exp")


def double(s: Session, backward: Any) -> Any:
    return make(s, lambda ctx, x, *rest: x * 2, backward)
