"""Gradients of functions of tensors, checked against differences: torch.autograd's gradcheck.

Where things are, each line from what it needs to what needs it:

jacobians   calls (a function and its inputs), messages (torch's words), numerical, analytical, forward
checks      comparing (every element, or along random directions), batches (of cotangents or tangents),
            zeros (what comes of nothing), functions
"""

from engine.gradcheck.functions import gradcheck, gradgradcheck

__all__ = ["gradcheck", "gradgradcheck"]
