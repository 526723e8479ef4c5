"""`strict=True`: what depends on nothing is an error, and where it is not, zeros."""

from __future__ import annotations

from collections.abc import Sequence

from engine.eager.builder import F
from engine.eager.tensor import Tensor
from engine.errors import GradError

_NOT_STRICT = "This is not allowed in strict mode"
_MISSING = {
    "back": f"The output of the user-provided function is independent of input {{}}. {_NOT_STRICT}.",
    "back_trick": (
        "The gradient with respect to the input is independent of entry {} in the grad_outputs when using "
        f"the double backward trick to compute forward mode gradients. {_NOT_STRICT}."
    ),
    "double_back": f"The jacobian of the user-provided function is independent of input {{}}. {_NOT_STRICT}.",
    "double_back_trick": (
        "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. "
        f"{_NOT_STRICT} as it prevents from using the double backward trick to replace forward mode AD."
    ),
}
_CONSTANT = {
    "outputs": (
        "Output {} of the user-provided function does not require gradients. The outputs must be computed in "
        "a differentiable manner from the input when running in strict mode."
    ),
    "grad_inputs": (
        "The gradient with respect to input {} is independent of the inputs of the user-provided function. "
        f"{_NOT_STRICT}."
    ),
    "jacobian": (
        "While computing the hessian, found that the jacobian of the user-provided function with respect to "
        f"input {{}} is independent of the input. {_NOT_STRICT}. You should ensure that your function is "
        "twice differentiable and that the jacobian depends on the inputs (this would be violated by a "
        "linear function for example)."
    ),
    "hessian": (
        "The hessian of the user-provided function with respect to input {} is independent of the input. "
        f"{_NOT_STRICT}. You should ensure that your function is thrice differentiable and that the hessian "
        "depends on the inputs."
    ),
}


def check_recorded(tensors: Sequence[Tensor | None], what: str, strict: bool) -> None:
    """Every tensor depends on the inputs; `what` is the key of the sentence that says otherwise."""
    for index, each in enumerate(tensors if strict else ()):
        if each is None:
            raise GradError(_MISSING["back"].format(index))
        if not each.requires_grad:
            raise GradError(_CONSTANT[what].format(index))


def filled(
    gradients: Sequence[Tensor | None], like: Sequence[Tensor], strict: bool, create_graph: bool, stage: str
) -> tuple[Tensor, ...]:
    """The gradients with zeros where there is none, or GradError if that is not allowed."""
    if strict:
        for index, each in enumerate(gradients):
            if each is None:
                raise GradError(_MISSING[stage].format(index))
            if create_graph and not each.requires_grad:
                raise GradError(constant("hessian" if "double" in stage else "jacobian", index))
    return tuple(F.zeros_like(x) if g is None else g for g, x in zip(gradients, like, strict=True))


def constant(what: str, index: int) -> str:
    """The sentence for a derivative that has itself none."""
    return (
        f"The {what} of the user-provided function is independent of input {index}. {_NOT_STRICT} when "
        "create_graph=True."
    )


def independent(output: int, index: int) -> str:
    """The sentence for an output that does not depend on an input."""
    return f"Output {output} of the user-provided function is independent of input {index}. {_NOT_STRICT}."
