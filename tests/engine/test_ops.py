"""Every op of the registry, by table: what its record promises is checked on its samples."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine import saved
from engine.errors import EngineError, NotDifferentiable
from engine.op import NoDerivative, Op
from engine.registry import REGISTRY, names_of
from tests.engine import harness
from tests.engine.harness import Problem, Refused, Sampled

ONCE = {"nn.functional.ctc_loss"}  # their derivatives have none, as PyTorch's have not
SAMPLES = list(harness.samples())
REFUSALS = list(harness.refusals())
OPS = sorted(REGISTRY.items())
PUBLIC = [(name, op) for name, op in OPS if not name.startswith("_")]


def by_id(cases: list[Sampled] | list[Refused]) -> list[object]:
    return [pytest.param(each, id=each.id) for each in cases]


def by_name(ops: list[tuple[str, Op]]) -> list[object]:
    return [pytest.param(op, id=name) for name, op in ops]


@pytest.mark.parametrize("sampled", by_id(SAMPLES))
def test_result_has_the_inferred_type(sampled: Sampled) -> None:
    for each in harness.evaluate(sampled.op, sampled.call, harness.leaves_of(sampled.call)):
        assert each.array.shape == each.meta.shape
        assert each.array.dtype == each.dtype.numpy


@pytest.mark.parametrize("sampled", by_id(SAMPLES))
def test_operands_stay_as_they_are(sampled: Sampled) -> None:
    leaves = harness.leaves_of(sampled.call)
    before = [leaf.array.copy() for leaf in leaves]
    harness.evaluate(sampled.op, sampled.call, leaves)
    for leaf, values in zip(leaves, before, strict=True):
        np.testing.assert_array_equal(leaf.array, values)


@pytest.mark.parametrize("sampled", by_id(SAMPLES))
def test_gradient_is_the_difference_quotient(sampled: Sampled) -> None:
    problem = Problem(sampled)
    if not problem.differentiable:
        assert sampled.op.kind == "composite" or sampled.op.vjp is None or not problem.leaves
    elif isinstance(sampled.op.vjp, NoDerivative):
        with pytest.raises(NotDifferentiable, match=sampled.op.vjp.reason):
            problem.gradients(problem.leaves, problem.v)
    else:
        problem.check_first()


@pytest.mark.parametrize("sampled", by_id([each for each in SAMPLES if each.op.name not in ONCE]))
def test_second_derivative_is_the_difference_quotient(sampled: Sampled) -> None:
    problem = Problem(sampled)
    if problem.differentiable and not isinstance(sampled.op.vjp, NoDerivative):
        problem.check_second()


@pytest.mark.parametrize("refused", by_id(REFUSALS))
def test_refusal_says_the_text(refused: Refused) -> None:
    call = refused.refusal.call
    with pytest.raises(EngineError) as caught:
        harness.evaluate(refused.op, call, harness.leaves_of(call))
    assert refused.refusal.text in str(caught.value)


@pytest.mark.parametrize("op", by_name(PUBLIC))
def test_public_op_has_samples(op: Op) -> None:
    assert list(op.samples(harness.maker(op)))


@pytest.mark.parametrize("op", by_name(OPS))
def test_docstring_says_what_happens_at_kinks(op: Op) -> None:
    summary, _, kinks = op.doc.partition("\n\n")
    assert summary.strip().endswith(".") and "\n" not in summary.strip()
    assert kinks.strip().endswith(".")


@pytest.mark.parametrize("op", by_name(OPS))
def test_saved_names_are_the_ops_own(op: Op) -> None:
    assert len({field.name for field in saved.fields(op)}) == len(op.saves)


@pytest.mark.parametrize("op", by_name(PUBLIC))
def test_every_name_finds_the_op(op: Op) -> None:
    for name in (op.name, *names_of(op)):
        assert engine.lookup(name) is op
