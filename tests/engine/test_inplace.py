"""In-place changes: what is written, counted, recorded and refused."""

from __future__ import annotations

import pytest

import engine
from engine.errors import NotImplementedYet

A_LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
A_VIEW_OF_A_LEAF = "a view of a leaf Variable that requires grad is being used in an in-place operation."


def leaf(*values: float) -> engine.Tensor:
    return engine.tensor(list(values) or [1.0, 2.0, 3.0], requires_grad=True)


def plain(*values: float) -> engine.Tensor:
    return engine.tensor(list(values) or [1.0, 2.0, 3.0])


def edges(tensor: engine.Tensor) -> list[str | None]:
    assert tensor.grad_fn is not None
    return [node.name() if node else None for node, _ in tensor.grad_fn.next_functions]


CHANGES = {
    "add_": lambda y: y.add_(1),
    "add_ alpha": lambda y: y.add_(plain(), alpha=2),
    "sub_": lambda y: y.sub_(plain()),
    "mul_": lambda y: y.mul_(plain()),
    "div_": lambda y: y.div_(2),
    "pow_": lambda y: y.pow_(2),
    "neg_": lambda y: y.neg_(),
    "zero_": lambda y: y.zero_(),
    "fill_": lambda y: y.fill_(7),
    "copy_": lambda y: y.copy_(engine.tensor(4.0)),
}
VALUES = {
    "add_": [2, 3, 4],
    "add_ alpha": [3, 6, 9],
    "sub_": [0, 0, 0],
    "mul_": [1, 4, 9],
    "div_": [0.5, 1, 1.5],
    "pow_": [1, 4, 9],
    "neg_": [-1, -2, -3],
    "zero_": [0, 0, 0],
    "fill_": [7, 7, 7],
    "copy_": [4, 4, 4],
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_written_and_counted_and_gives_the_tensor_itself(name: str) -> None:
    x = plain()
    memory = x.array
    assert CHANGES[name](x) is x
    assert x.array is memory
    assert x.tolist() == VALUES[name]
    assert x.version == 1
    assert not x.requires_grad


def test_operators_with_equals_change_the_tensor() -> None:
    x = y = plain(2.0, 4.0)
    x += 1
    x -= 2
    x *= 6
    x /= 3
    assert x is y
    assert y.tolist() == [2.0, 6.0]
    assert y.version == 4


def test_views_and_detach_share_the_change_and_its_count() -> None:
    x = plain()
    row, detached = x[:2], x.detach()
    row.add_(1)
    assert x.tolist() == detached.tolist() == [2.0, 3.0, 3.0]
    assert x.version == row.version == detached.version == 1
    other = x.data
    other.add_(1)
    assert (x.tolist(), x.version) == ([3.0, 4.0, 4.0], 1)


def test_a_non_leaf_takes_over_the_history_of_the_change() -> None:
    x = leaf()
    y = x * 2
    y.add_(x)
    assert y.grad_fn is not None and y.grad_fn.name() == "AddBackward0"
    assert edges(y) == ["MulBackward0", "torch::autograd::AccumulateGrad"]
    y.mul_(x).div_(2)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 6.0, 9.0]  # d/dx of (2x + x) x / 2


def test_a_plain_tensor_becomes_part_of_the_graph() -> None:
    x, y = leaf(), plain()
    y.mul_(x)
    assert edges(y) == [None, "torch::autograd::AccumulateGrad"]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("change", "name", "grad"),
    [
        (lambda y, x: y.zero_(), "ZeroBackward0", [0, 0, 0]),
        (lambda y, x: y.fill_(3), "FillBackward2", [0, 0, 0]),
        (lambda y, x: y.fill_(x[0]), "FillBackward3", [3, 0, 0]),
        (lambda y, x: y.copy_(x), "torch::autograd::CopyBackwards", [1, 1, 1]),
        (lambda y, x: y.copy_(x[0]), "torch::autograd::CopyBackwards", [3, 0, 0]),
    ],
)
def test_overwriting_cuts_the_old_path(change: object, name: str, grad: list[float]) -> None:
    x = leaf()
    y = x * 2
    assert callable(change)
    change(y, x)
    assert y.grad_fn is not None and y.grad_fn.name() == name
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == grad


def test_a_hook_set_before_sees_the_gradient_of_the_old_value_and_retain_grad_that_of_the_new() -> None:
    x, seen = leaf(), []
    y = x * 2
    y.register_hook(lambda gradient: seen.append(gradient.tolist()))
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    assert seen == [[3.0, 3.0, 3.0]]
    assert y.grad is not None and y.grad.tolist() == [1.0, 1.0, 1.0]
    assert x.grad is not None and x.grad.tolist() == [6.0, 6.0, 6.0]


def test_backward_refuses_a_saved_value_that_was_changed() -> None:
    x = leaf()
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"output 0 of Exp, is at version 1; expected version 0 instead"):
        y.sum().backward()
    y = x * 2
    y.mul_(y)
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: x.add_(1), A_LEAF),
        (lambda x: x.zero_(), A_LEAF),
        (lambda x: x[[0, 1]].shape and x.__setitem__([0, 1], 0.0), A_LEAF),
        (lambda x: x.__setitem__(0, 1.0), A_VIEW_OF_A_LEAF),
        (lambda x: x[:2].mul_(2), A_VIEW_OF_A_LEAF),
        (lambda x: x.unbind()[0].add_(1), "Output 0 of Unbind is a view and is being modified inplace."),
    ],
)
def test_leaves_and_their_views_are_refused(change: object, text: str) -> None:
    x = leaf()
    assert callable(change)
    with pytest.raises(RuntimeError) as raised:
        change(x)
    assert str(raised.value).startswith(text)
    assert x.tolist() == [1.0, 2.0, 3.0]
    assert x.version == 0


def test_no_grad_allows_a_step_on_a_leaf() -> None:
    x = leaf()
    with engine.no_grad():
        x -= 0.5 * x
        x[0] = 5.0
        x[1:].add_(1)
    assert x.tolist() == [5.0, 2.0, 2.5]
    assert x.is_leaf and x.requires_grad and x.version == 3


def test_a_view_made_under_no_grad_is_refused_outside() -> None:
    x = leaf()
    with engine.no_grad():
        row = x[:2]
    with pytest.raises(
        RuntimeError, match="A view was created in no_grad mode and is being modified inplace"
    ):
        row.add_(1)


def test_views_of_tensors_with_history_are_refused_by_name() -> None:
    x = leaf()
    y = x * 2
    with pytest.raises(NotImplementedYet, match="CopySlices"):
        y[0] = 1.0
    with pytest.raises(NotImplementedYet, match="CopySlices"):
        plain()[:2].mul_(leaf(1.0, 2.0))
    row = y[:2]
    y.mul_(2)
    with pytest.raises(NotImplementedYet, match="another history"):
        row * 2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda: plain().add_(engine.ones(2, 3)),
            "output with shape [3] doesn't match the broadcast shape [2, 3]",
        ),
        (
            lambda: engine.tensor([1, 2]).add_(1.5),
            "result type Float can't be cast to the desired output type Long",
        ),
        (
            lambda: plain().add_(1j),
            "result type ComplexFloat can't be cast to the desired output type Float",
        ),
        (
            lambda: plain().fill_(engine.ones(2)),
            "fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions.",
        ),
        (
            lambda: plain().copy_(engine.ones(2)),
            "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0",
        ),
        (
            lambda: engine.ones(3).expand(2, 3).add_(1),
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation.",
        ),
        (lambda: plain().__setitem__(0, [1.0]), "can't assign a list to a torch.FloatTensor"),
        (lambda: plain().__setitem__(5, 1.0), "index 5 is out of bounds for dimension 0 with size 3"),
        (
            lambda: plain().__setitem__(0, plain()),
            "expand(torch.FloatTensor{[3]}, size=[]): the number of sizes provided (0) must be greater or "
            "equal to the number of dimensions in the tensor (1)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change: object, text: str) -> None:
    assert callable(change)
    with pytest.raises((RuntimeError, TypeError, IndexError)) as raised:
        change()
    assert str(raised.value) == text


def test_detach_in_place() -> None:
    x = leaf()
    y = x * 2
    assert y.detach_() is y
    assert y.is_leaf and not y.requires_grad
    with pytest.raises(RuntimeError, match=r"Can't detach views in-place. Use detach\(\) instead"):
        (x * 2)[:2].detach_()
