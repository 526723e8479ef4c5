"""torch.func: derivatives of functions of Tensors, and functions of a batch, as functions again.

Where things are, each line from what it needs to what needs it:

given          trees (nested containers), arguments (argnums, aux)
derivatives    reverse (grad, vjp), forward (jvp)
batches        dims (in_dims, out_dims), chunks, mapping (vmap), jacobians
"""

from engine.func.forward import jvp
from engine.func.jacobians import hessian, jacfwd, jacrev
from engine.func.mapping import vmap
from engine.func.reverse import grad, grad_and_value, vjp

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap"]
