"""torch.autograd.functional: derivatives of a function of tensors at a point."""

from engine.autograd.jacobians import hessian, jacobian
from engine.autograd.products import hvp, jvp, vhp, vjp

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
