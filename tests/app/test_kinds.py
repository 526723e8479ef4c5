"""What is kept of the kinds of requests is bounded; how a body is laid out and told from others."""

from collections.abc import Callable

import pytest

from app.compute import kinds, known, outlines
from app.compute.call import Call
from app.compute.service import Service
from app.settings import Settings
from tests.app.test_known import change, inputs


def fill(service: Service, make: Callable[[int], bytes], count: int) -> None:
    for number in range(count):
        assert service.answer(Call("backward", make(number))).status == 200


def test_kinds_are_bounded_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MAX_KINDS", 3)
    service = Service(Settings())
    fill(service, lambda number: change(outputs=["s"] * (number + 1)), 5)
    assert service.kinds.info[:3] == (0, 5, 3)


def test_kinds_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(Settings())
    fill(service, lambda number: change(), 1)
    monkeypatch.setattr(known, "MAX_BYTES", 3 * service.kinds.info.bytes)
    fill(service, lambda number: change(outputs=["s"], seed=number) + b" " * number, 6)
    assert service.kinds.info.bytes <= known.MAX_BYTES
    assert 1 < service.kinds.info.kept < 4
    for body in (change(outputs=["s"] * 500), change(outputs=["s"] * 501)):
        fill(service, lambda number, body=body: body, 2)
        assert service.kinds.info.kept == 1  # the latest stays, however large, and however used the others
        assert service.recall(Call("backward", body)) is not None


def test_variants_of_a_kind_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MAX_VARIANTS", 2)
    service = Service(Settings())
    sizes: list[int] = []
    for size in (1, 2, 3, 4, 1):
        fill(service, lambda _, size=size: inputs({"data": [[1, 2]] * size, "requires_grad": True}), 2)
        sizes.append(service.kinds.info.bytes)
    (requests,) = service.kinds._kept.values()
    assert len(requests.variants) == 2
    assert sizes[-1] < 2 * sizes[0]
    assert service.kinds.info.hits == 5


def test_a_body_that_is_none_has_no_kind() -> None:
    for body in (
        b"",
        b"[]",
        b"{",
        b'{"inputs": []}',
        b'{"inputs": {"x": {"dta": 1}}}',
        b'{"seed": null}',
        b"[" * 9999,
    ):
        assert kinds.split(Call("backward", body)) is None


def test_only_a_body_that_is_alike_has_the_outline() -> None:
    body = b'{"inputs": {"x": [1, 2], "w": 3}, "graph": [{"id": "y", "op": "mul", "in": ["x", 3]}]}'
    made = outlines.outline("forward", body, kinds.Split("forward", body))
    assert made is not None
    assert made.numbers(body) == [b"[1, 2]", b"3"]
    assert made.numbers(body.replace(b"[1, 2]", b"[[4]]").replace(b"3}", b"-5e1}")) == [b"[[4]]", b"-5e1"]
    for old, new in ((b'"y"', b'"z"'), (b'"w"', b'"v"'), (b"3]", b"4]"), (b": 3", b":3"), (b"}]}", b"}]} ")):
        assert made.numbers(body.replace(old, new)) is None
    assert made.numbers(b'{"inputs": {"x": , "w": ') is None
    assert outlines.outline("forward", b"{}", kinds.Split("forward", b"{}")) is None
