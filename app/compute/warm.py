"""What a place computes before it says it is ready: what a first request would otherwise wait for."""

from __future__ import annotations

import numpy as np

from app.compute.call import Call
from app.compute.service import Service
from app.settings import Settings

REQUEST = b"""{
  "inputs": {"x": {"data": [[1, 1], [1, 1]], "requires_grad": true}},
  "graph":  [{"id": "y",   "op": "add",  "in": ["x", 2]},
             {"id": "z",   "op": "mul",  "in": [{"op": "mul", "in": ["y", "y"]}, 3]},
             {"id": "out", "op": "mean", "in": ["z"]}],
  "outputs": ["z", "out"]
}"""


def warm() -> None:
    """Answer a small request under the default limits; raises RuntimeError if that goes wrong.

    OpenBLAS ends the process when its first large product finds no memory, so it takes it now.
    """
    block = np.ones((512, 512), np.float32)
    np.matmul(block, block)
    answer = Service(Settings()).answer(Call("backward", REQUEST))
    if answer.status != 200:
        raise RuntimeError(f"the first request failed: {answer.body.decode()}")
