"""What a user sees of define-by-run, as small scenarios that run on torch and on the engine alike.

A scenario is a function of a `Session`: it calls `session.torch`, and what it says with `session(…)` is
compared. `python -m tests.oracle.behaviour` stores what torch 2.13 says; the tests run the same scenarios
with the engine.
"""

import builtins
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

MODULES = tuple(
    "tensor conversion inplace backward grad grad_mode graph hooks function context gradcheck transforms "
    "jacobians vmap functional anomaly".split()
)
ADDRESS = re.compile(r"0x[0-9a-f]+")

Scenario = Callable[["Session"], None]


class Session:
    """One run of a scenario; `touch(tensor)` counts a change in place without making one."""

    def __init__(self, torch: Any, touch: Callable[[Any], None]) -> None:
        self.torch, self.touch = torch, touch
        self.said: list[str] = []

    def __call__(self, *values: Any) -> None:
        """Say the values, as print would; addresses are masked."""
        self.said.append(ADDRESS.sub("0x…", " ".join(map(str, values))))

    def refused(self, call: Callable[[], Any]) -> None:
        """Say the builtin class and the sentence of the error that `call` raises, or that there is none."""
        try:
            call()
        except Exception as error:
            kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == builtins.__name__)
            self(f"{kind}: {error}")
        else:
            self("not refused")


def scenarios(module: str) -> Iterator[tuple[str, Scenario]]:
    """The scenarios of a module by name, in the order in which they stand."""
    loaded = importlib.import_module(f"{__name__}.{module}")
    for name, found in list(vars(loaded).items()):
        if inspect.isfunction(found) and found.__module__ == loaded.__name__ and not name.startswith("_"):
            yield name, found


def names(*modules: str) -> list[tuple[str, str]]:
    """(module, scenario) of every scenario of these modules."""
    return [(module, name) for module in modules for name, _ in scenarios(module)]


def play(module: str, name: str, torch: Any, touch: Callable[[Any], None]) -> list[str]:
    """What a scenario says, line by line."""
    session = Session(torch, touch)
    dict(scenarios(module))[name](session)
    return session.said
