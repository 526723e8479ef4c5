"""A UM-Bridge model: the sum of squares and its gradient."""

from __future__ import annotations

import functools
import sys
from typing import Any

import umbridge
from aiohttp import web


class Squares(umbridge.Model):
    """The sum of squares of one number."""

    def __init__(self) -> None:
        super().__init__("squares")

    def get_input_sizes(self, config: Any) -> list[int]:
        return [1]

    def get_output_sizes(self, config: Any) -> list[int]:
        return [1]

    def __call__(self, parameters: Any, config: Any) -> Any:
        return [[sum(each * each for each in parameters[0])]]

    def gradient(self, out_wrt: int, in_wrt: int, parameters: Any, sens: Any, config: Any) -> Any:
        return [2 * sens[0] * each for each in parameters[0]]

    def supports_evaluate(self) -> bool:
        return True

    def supports_gradient(self) -> bool:
        return True


if __name__ == "__main__":
    web.run_app = functools.partial(web.run_app, host="127.0.0.1")  # serve_models names no host
    umbridge.serve_models([Squares()], int(sys.argv[1]))
