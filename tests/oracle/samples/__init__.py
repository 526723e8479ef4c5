"""The calls that torch is asked, by family."""

from types import ModuleType

from . import autograd, compare, creation, elementwise, index, linalg, losses, nn, reductions, shape

BY_FAMILY: dict[str, tuple[ModuleType, ...]] = {
    "elementwise": (elementwise,),
    "compare": (compare,),
    "reductions": (reductions,),
    "linalg": (linalg,),
    "shape": (shape,),
    "index": (index,),
    "autograd": (autograd,),
    "nn": (nn, losses),
    "creation": (creation,),
}
