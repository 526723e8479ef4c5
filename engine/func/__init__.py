"""torch.func: derivatives of functions of Tensors, as functions again."""

from engine.func.forward import jvp
from engine.func.reverse import grad, grad_and_value, vjp

__all__ = ["grad", "grad_and_value", "jvp", "vjp"]
