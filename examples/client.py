"""A client of the service in the standard library alone: post a graph, read the gradient.

Start the service with `make run`, then: `python examples/client.py [http://127.0.0.1:8000]`.
"""

import json
import sys
import urllib.error
import urllib.request

REQUEST = {
    "inputs": {"x": {"data": [[1, 1], [1, 1]], "requires_grad": True}},
    "graph": [
        {"id": "y", "op": "add", "in": ["x", 2]},
        {"id": "z", "op": "mul", "in": [{"op": "mul", "in": ["y", "y"]}, 3]},
        {"id": "out", "op": "mean", "in": ["z"]},
    ],
    "outputs": ["z", "out"],
}


def post(url: str, body: object) -> dict:
    """The service's answer; its problem document, too, is JSON."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def main(server: str) -> None:
    answer = post(f"{server}/backward", REQUEST)
    for name, tensor in answer["outputs"].items():
        print(f"{name} = {tensor['data']}, made by {tensor['grad_fn']}")
    print(f"d out / d x = {answer['grads']['x']['data']}")
    for number, node in enumerate(answer["trace"]["nodes"]):
        print(f"  node {number}: {node['name']} -> {node['next_functions']}")

    wrong = {**REQUEST, "outputs": ["z"]}
    problem = post(f"{server}/backward", wrong)
    print(f"{problem['status']} {problem['code']}: {problem['detail']}")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8000")
