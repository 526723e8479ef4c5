"""Checks of programs' gradients in few words."""

from __future__ import annotations

from typing import Any

import numpy as np

import engine
from engine import GradcheckReport, gradcheck_program
from tests.engine.building import Json, leaf


def check(graph: list[Json], inputs: Json, *outputs: str, **settings: Any) -> GradcheckReport:
    """The report on a program."""
    return gradcheck_program(engine.Program(graph), inputs, outputs=list(outputs) or None, **settings)


def normal(*shape: int) -> engine.Tensor:
    """An input of random numbers that requires grad."""
    return leaf(np.random.default_rng(0).normal(size=shape))
