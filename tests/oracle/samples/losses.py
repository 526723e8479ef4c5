"""Losses: reductions, weights, ignored and smoothed classes, class probabilities."""

from typing import Any

from ..build import INF, NAN, case, node, rand, val

Call = dict[str, Any]
LOW = "-Infinity"


def name(op: str) -> str:
    return f"nn.functional.{op}"


def regression() -> list[Call]:
    mse, bce, logits = (
        name("mse_loss"),
        name("binary_cross_entropy"),
        name("binary_cross_entropy_with_logits"),
    )
    found = []
    for reduction in ("none", "mean", "sum"):
        found += [
            case(mse, rand(2, 3), rand(2, 3), reduction=reduction),
            case(mse, rand(2, 3), rand(2, 3, grad=False), reduction=reduction),
        ]
        found += [
            case(mse, rand(2, 3, grad=False), rand(2, 3), reduction=reduction),
            case(mse, rand(0, 3), rand(0, 3), reduction=reduction),
        ]
        for op, low, high in ((bce, 0.05, 0.95), (logits, -3, 3)):
            x, target = rand(2, 3, low=low, high=high), rand(2, 3, low=0, high=1, grad=False)
            found += [case(op, x, target, reduction=reduction)]
            found += [case(op, x, rand(2, 3, low=0, high=1), reduction=reduction)]
            found += [case(op, x, target, weight=rand(3, low=0, high=2, grad=False), reduction=reduction)]
            found += [
                case(
                    op,
                    rand(0, 3, low=low, high=high),
                    rand(0, 3, low=0, high=1, grad=False),
                    reduction=reduction,
                )
            ]
        found += [
            case(
                logits,
                rand(2, 3),
                rand(2, 3, low=0, high=1, grad=False),
                pos_weight=rand(3, low=0, high=3, grad=False),
                reduction=reduction,
            )
        ]
    found += [
        case(mse, rand(2, 3), rand(3)),
        case(mse, rand(), rand()),
        case(mse, rand(2, 1), rand(1, 3), reduction="sum"),
    ]
    found += [case(mse, rand(2, dtype=dtype), rand(2, dtype=dtype)) for dtype in ("float32", "float16")]
    found += [
        case(mse, rand(2, dtype="float32"), rand(2)),
        case(mse, node("t", rand(2, 3)), rand(3, 2), reduction="none"),
    ]
    found += [
        case(mse, rand(2, 3), rand(2, 3), weight=rand(2, 3, grad=False, low=0)),
        case(mse, val([1.0, NAN, INF]), val([1.0, 0.0, INF])),
    ]
    found += [
        case(
            bce, val([0.0, 1.0, 0.0, 1.0, 0.5]), val([0.0, 1.0, 1.0, 0.0, 0.5], grad=False), reduction="none"
        )
    ]
    found += [
        case(bce, rand(low=0.1, high=0.9), rand(low=0, high=1, grad=False)),
        case(logits, rand(), rand(grad=False)),
    ]
    found += [
        case(
            logits,
            val([0.0, 100.0, -100.0, INF, LOW, NAN]),
            val([0.5, 0.0, 1.0, 1.0, 0.0, 0.0], grad=False),
            reduction="none",
        )
    ]
    found += [
        case(
            logits,
            rand(2, 3),
            rand(2, 3, low=0, high=1),
            weight=rand(2, 3, low=0, grad=False),
            pos_weight=rand(3, low=0, grad=False),
        )
    ]
    for op in (bce, logits):
        found.append(
            case(
                op,
                rand(3, dtype="float32", low=0.1, high=0.9),
                rand(3, dtype="float32", low=0, high=1, grad=False),
            )
        )
    return found


def classes() -> list[Call]:
    nll, entropy = name("nll_loss"), name("cross_entropy")
    target, weight = val([0, 2], "int64"), val([0.5, 1.0, 2.0], grad=False)
    image = val([[[0, 1]], [[2, 0]]], "int64")
    found = []
    for op in (nll, entropy):
        for reduction in ("none", "mean", "sum"):
            found += [case(op, rand(2, 3), target, reduction=reduction)]
            found += [case(op, rand(2, 3), target, weight=weight, reduction=reduction)]
            found += [case(op, rand(2, 3), target, ignore_index=2, reduction=reduction)]
            found += [
                case(op, rand(2, 3, 1, 2), image, reduction=reduction),
                case(op, rand(3), val(1, "int64"), reduction=reduction),
            ]
            found += [case(op, rand(2, 3, 1, 2), image, weight=weight, ignore_index=0, reduction=reduction)]
            found += [case(op, rand(2, 3, 2), val([[0, 1], [2, 2]], "int64"), reduction=reduction)]
        found += [
            case(op, rand(2, 3), val([-100, 1], "int64")),
            case(op, rand(2, 3), val([-100, -100], "int64")),
        ]
        found += [case(op, rand(2, 3, dtype="float32"), target), case(op, rand(0, 3), val([], "int64"))]
        found += [
            case(op, rand(2, 3), target, weight),
            case(op, node("t", rand(3, 2)), target),
            case(op, rand(2, 1), val([0, 0], "int64")),
        ]
    probs = rand(2, 3, low=0, high=1, grad=False)
    for reduction in ("none", "mean", "sum"):
        found += [
            case(entropy, rand(2, 3), probs, reduction=reduction),
            case(entropy, rand(2, 3), rand(2, 3, low=0, high=1), reduction=reduction),
        ]
        found += [case(entropy, rand(2, 3), probs, weight=weight, reduction=reduction, label_smoothing=0.2)]
        found += [case(entropy, rand(2, 3), target, label_smoothing=0.1, reduction=reduction)]
        found += [
            case(
                entropy,
                rand(2, 3),
                val([0, -100], "int64"),
                label_smoothing=0.1,
                weight=weight,
                reduction=reduction,
            )
        ]
        found += [case(entropy, rand(2, 3, 1, 2), image, label_smoothing=0.3, reduction=reduction)]
        found += [case(entropy, rand(2, 3, 2), rand(2, 3, 2, low=0, high=1, grad=False), reduction=reduction)]
    found += [
        case(entropy, rand(3), rand(3, low=0, high=1, grad=False)),
        case(entropy, val([[LOW, 0.0, 1.0]]), val([1], "int64")),
    ]
    found += [
        case(entropy, val([[1000.0, 0.0, -1000.0]]), val([2], "int64")),
        case(entropy, val([[INF, 0.0]]), val([0], "int64")),
    ]
    found += [case(entropy, rand(2, 3, dtype="float16"), target)]
    return found


def cases() -> list[Call]:
    return [*regression(), *classes()]
