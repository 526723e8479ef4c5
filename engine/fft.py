"""torch.fft: the ops of that namespace."""

from engine.namespace import members

__getattr__, __dir__ = members("fft")
