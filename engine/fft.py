"""torch.fft: the ops of that namespace."""

from engine.eager.factories import fftfreq, rfftfreq  # noqa: F401
from engine.namespace import members

__getattr__, __dir__ = members("fft")
