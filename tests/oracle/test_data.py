"""The stored results are complete, decodable and consistent with themselves."""

import numpy as np

from tests.oracle import DATA, FAMILY_OF, array, cases, no_second


def test_every_op_has_cases() -> None:
    count = dict.fromkeys(FAMILY_OF, 0)
    for case in cases("ops"):
        count[case["op"]] += 1
    assert {op: number for op, number in count.items() if number < 2} == {}
    assert sum(count.values()) > 3000


def test_every_differentiable_dtype_is_there() -> None:
    dtypes = {node["dtype"] for case in cases("ops") for node in case["out"]}
    assert dtypes >= {"float16", "float32", "float64", "complex64", "complex128", "int64", "uint8", "bool"}


def test_records_decode_and_agree() -> None:
    for case in cases("ops"):
        assert (
            len(case.out) == len(case.v) == len(case["strides"]) == len(case["grad_fn"]) == len(case["roots"])
        )
        wanted = [leaf.shape for leaf, flag in case.leaves if flag]
        assert len(case.grads) == len(wanted), case.id
        for grad, shape in zip(case.grads, wanted, strict=True):
            assert grad is None or grad.shape == shape, case.id
        for node, value, v in zip(case["out"], case.out, case.v, strict=True):
            assert value.dtype.name == node["dtype"] and list(value.shape) == node["shape"], case.id
            assert (v is not None) == node["requires_grad"], case.id


def test_traces_are_graphs() -> None:
    for case in cases("ops"):
        nodes = case["trace"]
        for place, node in enumerate(nodes):
            assert all(edge is None or place < edge[0] < len(nodes) for edge in node["next_functions"]), (
                case.id
            )
            assert (node["name"] == "AccumulateGrad") == ("variable" in node), case.id
        for root, name in zip(case["roots"], case["grad_fn"], strict=True):
            assert (root and nodes[root[0]]["name"]) == name, case.id


def test_other_kinds() -> None:
    assert sum(1 for _ in cases("text")) > 150
    assert all(("error" in case) != ("response" in case) for case in cases("programs"))
    errors = list(cases("errors"))
    assert len(errors) > 300 and all(case["error"] and case["message"] for case in errors)


def test_second_derivatives_belong_to_cases() -> None:
    stored = {case.id: case for case in cases("ops")}
    assert no_second().keys() <= stored.keys()
    ops = set()
    for record in cases("second"):
        case = stored[record["case"]]
        ops.add(case["op"])
        assert len(record["w"]) == len(record["grads2"]) == len(case["grads"])
        assert len(record["grads2_v"]) == len(case["v"])
    assert len(ops) > 75


def test_array_reads_every_form() -> None:
    odd = array({"data": [["NaN", "-Infinity"], [-0.0, 0.1]], "dtype": "float32", "shape": [2, 2]})
    assert (
        np.isnan(odd[0, 0])
        and odd[0, 1] == -np.inf
        and np.signbit(odd[1, 0])
        and odd[1, 1] == np.float32(0.1)
    )
    assert array({"data": [[1, 2], ["Infinity", 0]], "dtype": "complex64", "shape": [2]})[0] == 1 + 2j
    assert array({"data": [[], []], "dtype": "int64", "shape": [2, 0]}).shape == (2, 0)
    assert array({"data": True, "dtype": "bool", "shape": []})[()]


def test_data_stays_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 1_500_000
