"""Define-by-run: tensors that remember how they were made, and the sweep over what they remember.

Where things are, each line from what it needs to what needs it:

tensors     storage, ondemand, anomaly, active (transforms), node (grad_fn), printing, conversion, tensor,
            tracking (arguments of transforms)
ops         builder (runs and records a call), function (custom ones), walk and sweep (backward)
surface     factories, keys, inplace_checks and inplace (x[key] = value), methods
"""
