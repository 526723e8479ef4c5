"""Random numbers that are torch's, from numpy's MT19937.

Where things are, each line from what it needs to what needs it:

numbers     mersenne, box_muller, generator
"""

from engine.random.generator import (
    DEFAULT_SEED,
    Generator,
    State,
    check_bounds,
    default_generator,
    initial_seed,
    manual_seed,
    seed,
)

__all__ = [
    "DEFAULT_SEED",
    "Generator",
    "State",
    "check_bounds",
    "default_generator",
    "initial_seed",
    "manual_seed",
    "seed",
]
