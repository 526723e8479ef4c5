"""torch.autograd's public names: `engine.autograd.grad`, `engine.autograd.Function`.

Where things are, each line from what it needs to what needs it:

derivatives    arguments (tuples of tensors in and out), strictness, products (of a Jacobian and a vector),
               jacobians, functional (torch.autograd.functional)
"""

from engine.autograd import functional
from engine.eager.anomaly import detect_anomaly, set_detect_anomaly
from engine.eager.function import Function
from engine.eager.sweep import backward, grad
from engine.grad_mode import enable_grad, no_grad, set_grad_enabled
from engine.gradcheck import gradcheck, gradgradcheck

__all__ = [
    "Function",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
