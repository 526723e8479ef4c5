"""torch.autograd's public names: `engine.autograd.grad`, `engine.autograd.Function`."""

from engine.eager.function import Function
from engine.eager.sweep import backward, grad
from engine.gradcheck import gradcheck, gradgradcheck

__all__ = ["Function", "backward", "grad", "gradcheck", "gradgradcheck"]
