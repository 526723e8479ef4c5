"""A tensor as Python scalars, lists and arrays; printed, and in operators."""

from tests.engine.behaviour import Session


def scalars(s: Session) -> None:
    t = s.torch
    for x in (t.tensor(2.5), t.tensor([3]), t.tensor([[True]]), t.tensor(1 + 2j)):
        s(repr(x.item()), type(x.item()).__name__, bool(x))
    s(float(t.tensor(2)), int(t.tensor(2.9)), complex(t.tensor(1.5)), [10, 20, 30][t.tensor(1)])
    s(repr(t.tensor(2.5, requires_grad=True).item()))
    two, none = t.ones(2), t.ones(0)
    for convert in (lambda x: x.item(), bool, float, int):
        s.refused(lambda convert=convert: convert(two))
        s.refused(lambda convert=convert: convert(none))
    s.refused(lambda: int(t.tensor(1j)))
    s.refused(lambda: float(t.tensor(1j)))
    s(float(t.tensor(1 + 0j)), int(t.tensor(2 + 0j)))
    s.refused(lambda: [10, 20][t.tensor(1.0)])
    s.refused(lambda: [10, 20][t.tensor([0, 1])])


def lists_and_arrays(s: Session) -> None:
    t = s.torch
    x = t.tensor([[1.0, 2.5], [0.1, 4.0]])
    s(
        x.tolist(),
        t.tensor(3).tolist(),
        t.tensor([True]).tolist(),
        t.ones(2, 0).tolist(),
        (x + 0.1)[1].tolist(),
    )
    s(x.numpy().dtype, x.numpy().tolist(), x.double().numpy().dtype, t.tensor([1]).numpy().dtype)
    grown = t.ones(2, requires_grad=True)
    s.refused(grown.numpy)
    s.refused((grown * 2).numpy)
    s(grown.detach().numpy(), (grown * 2).detach().numpy(), (grown * 2).tolist())


def length_and_iteration(s: Session) -> None:
    t = s.torch
    x = t.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    s(len(x), [row.tolist() for row in x], next(iter(x)).requires_grad)
    s.refused(lambda: len(t.tensor(1.0)))
    s.refused(lambda: iter(t.tensor(1.0)))
    first, second, third = x
    (first * third).sum().backward()
    s(x.grad, second.requires_grad)
    s(len(t.ones(0, 3)), list(t.ones(0, 3)))


def tensors_are_keys_by_identity(s: Session) -> None:
    t = s.torch
    x, y = t.ones(2), t.ones(2)
    table = {x: "x", y: "y"}
    s(table[x], table[y], len({x, y, x}), hash(x) == hash(x), hash(x) == hash(y))


def formats(s: Session) -> None:
    t = s.torch
    x = t.tensor(1.25, requires_grad=True)
    s(f"{x}", f"{x:.1f}", f"{x.detach():.3e}", f"{t.ones(2)}", str(x * 2))
    s(t.ones(2, dtype=t.float64), t.tensor([1 + 1j]), t.ones(2, dtype=t.int32), t.ones(0), t.ones(2, 0, 3))
    s.refused(lambda: f"{t.ones(2):.1f}")
    s((t.ones(1) * t.ones(1, requires_grad=True)).double(), t.tensor([1e-8, 1.0]))


def operators(s: Session) -> None:
    t = s.torch
    x, y = t.tensor([1.0, 4.0], requires_grad=True), t.tensor([2.0, 3.0])
    for z in (x + y, x + 2, 2 + x, x - y, x - 2, 2 - x, x * y, 2 * x, x / y, x / 2, 2 / x, x**2, x**y, 2**x):
        s(z)
    for z in (-x, +x, abs(-x), x @ y, x == y, x != y, x < 2, x >= y, x % 2, x // 2, ~(x > 2)):
        s(z)
    s(x.eq(x).all(), (x > 0).any(), t.sin(x), x.sin(), t.ones_like(x), (x > 1) & (y > 2), (x > 1) | (y > 2))


def dtypes_by_name(s: Session) -> None:
    t = s.torch
    names = "float16 float32 float64 int8 int16 int32 int64 uint8 bool complex64 complex128"
    for name in names.split():
        dtype = getattr(t, name)
        s(dtype, t.ones(2, dtype=dtype), t.ones(2, dtype=dtype).dtype is dtype, dtype.is_floating_point)
    s(t.get_default_dtype(), t.tensor([1, 2.5]).dtype, t.tensor([]).dtype, t.tensor([1, True]).dtype)
