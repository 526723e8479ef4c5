"""gradwire's engine: the semantics of torch.autograd on numpy.

`import engine as torch` runs the PyTorch autograd tutorial. Every op of the registry is a function here
(`engine.exp`, `engine.linalg.norm`, `engine.nn.functional.gelu`) and, where PyTorch has it so, a method.

Where things are, each line from what it needs to what needs it:

numbers     errors, dtypes, types (shape, dtype, strides), strides, bounded (sizes of the run), limits,
            literals (numbers in lists), random, quiet (no warnings), threads, collector (of cycles, held
            back)
ops         signature, binding (calls), elementary, formulas, kernels (ufunc steps), samples, registry,
            builder (what ops are applied to), flow (kernels of control flow), op (the record), define (how to
            write one), subscript (x[key]), leading (batch axes in kernels), ops (the families), saved,
            pullback (a rule, called), namespace, fft, linalg, special, nn, levels, batched (many samples at
            once), variants (what calls have in common)
autograd    grad_mode, grad_checks and seeds (what torch refuses), eager (define-by-run), func (transforms
            of functions), gradcheck, autograd, catalogue
programs    language (statements), watch (anomaly mode), graph (SSA), graph_builder, transforms (graph to
            graph), plan (graph to numpy calls), control (loops and choices), listing (graphs and plans, as
            text), program (statements to an answer)
"""

from __future__ import annotations

from typing import Any

from engine import autograd, errors, fft, func, linalg, nn, special
from engine import ops as _ops  # noqa: F401
from engine.autograd import backward, grad
from engine.catalogue import Entry, catalogue
from engine.dtypes import ALIASES as _DTYPE_ALIASES
from engine.dtypes import (
    DType,
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from engine.dtypes import bool_ as bool
from engine.eager import methods as _methods
from engine.eager.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from engine.eager.factories import (
    arange,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from engine.eager.function import Function
from engine.eager.storage import Size
from engine.eager.tensor import Tensor
from engine.func import vmap
from engine.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from engine.limits import Limits
from engine.op import Op
from engine.program.gradcheck import GradcheckReport, PreparedGradcheck, gradcheck_program
from engine.program.prepared import Prepared
from engine.program.program import Program
from engine.program.repeat import Repeat
from engine.program.result import Result
from engine.random import Generator, initial_seed, manual_seed
from engine.registry import lookup
from engine.threads import get_num_threads, set_num_threads

_methods.install()  # when every family is in the registry


# fmt: off
__all__ = [
    # tensors
    "Tensor", "Size", "tensor", "from_numpy", "zeros", "ones", "full", "arange", "linspace", "eye",
    "zeros_like", "ones_like", "full_like", "rand", "randn", "randint", "randperm", "rand_like",
    "randn_like", "randint_like",
    # ops by namespace
    "fft", "linalg", "nn", "special",
    # gradients
    "backward", "grad", "Function", "no_grad", "enable_grad", "set_grad_enabled", "is_grad_enabled",
    "autograd", "func", "vmap", "is_anomaly_enabled", "is_anomaly_check_nan_enabled",
    # programs
    "Program", "Prepared", "Repeat", "Result", "Limits",
    "gradcheck_program", "PreparedGradcheck", "GradcheckReport",
    # dtypes
    "DType", "dtype", "get_default_dtype", "set_default_dtype", "bool", "uint8", "int8", "int16",
    "int32", "int64", "float16", "float32", "float64", "complex64", "complex128",
    # random numbers
    "Generator", "manual_seed", "initial_seed",
    # threads
    "get_num_threads", "set_num_threads",
    # the catalogue, errors
    "Op", "Call", "Entry", "catalogue", "lookup", "errors",
]
# fmt: on


def __getattr__(name: str) -> Any:
    if name in _DTYPE_ALIASES:  # torch.float is a dtype, Tensor.float a cast
        return dtype(name)
    try:
        return lookup(name)
    except ValueError:
        raise AttributeError(f"module 'engine' has no attribute '{name}'") from None
