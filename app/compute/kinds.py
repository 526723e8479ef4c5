"""What a request says beside its numbers: requests of one kind differ in their numbers alone.

A body is split without a look at the numbers. What a tensor says of itself stays as it is written, and so
does all that is no tensor: bodies of one kind mean the same but for the numbers. The split is no validation,
and of keys that stand twice it takes the latter; who relies on it has seen a valid body of that kind, and
counts the colons.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import msgspec

from app.codec.cutting import cut
from app.codec.declared import Said
from app.compute.call import Call

NAMED = ("inputs", "tangents", "v")  # fields with tensors by name
MAX_DIGITS = 20  # of a seed
NOTHING = Said()
_NO_TEXT = msgspec.Raw()


class Text(NamedTuple):
    """A tensor's numbers, what it says beside them, and the place in the body where they stand."""

    numbers: bytes
    said: Said
    raw: msgspec.Raw


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    data: msgspec.Raw
    dtype: msgspec.Raw = _NO_TEXT
    shape: msgspec.Raw = _NO_TEXT
    requires_grad: msgspec.Raw = _NO_TEXT
    object_type: msgspec.Raw = _NO_TEXT
    grad: msgspec.Raw = _NO_TEXT


_TENSOR = msgspec.json.Decoder(_Tensor)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CALLS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


class Split:
    """A body in two: `kind`, and the numbers of `inputs`, of their earlier `grads` and of `others`, which is
    the order in which a program takes them; `seed` is a number too. ValueError for what is no such body.

    `size` is about what the kind takes, `colons` how many there are in the body; `is_cut` if long lists were
    cut out of it first.
    """

    __slots__ = ("_lists", "colons", "grads", "inputs", "is_cut", "kind", "others", "seed", "size")

    def __init__(self, route: str, body: bytes) -> None:
        body, self._lists = cut(body)
        self.is_cut = bool(self._lists)
        self.colons, self.size = body.count(b":"), 3 * len(body)  # the graph's text is kept so often
        self.inputs: list[Text] = []
        self.grads: list[Text] = []
        self.others: list[Text] = []
        self.seed = 0
        kind: list[Hashable] = [route]
        for name, raw in _MEMBERS.decode(body).items():
            kind.append(name)
            if name == "seed":
                self.seed = _integer(bytes(raw))
            elif name in NAMED:
                kind.append(self._named(raw, self.inputs if name == "inputs" else self.others))
            elif name == "gradient":
                kind.append(self._gradient(raw))
            elif name == "backward":
                kind.append(self._calls(raw))
            else:
                kind.append(bytes(raw))
        self.kind = tuple(kind)
        if self._lists:
            raise ValueError("a long list that is no tensor's")

    @property
    def texts(self) -> list[Text]:
        """All the numbers, in that order."""
        return [*self.inputs, *self.grads, *self.others]

    def _named(self, raw: Any, into: list[Text]) -> Hashable:
        return tuple([(name, self._tensor(each, into)) for name, each in _MEMBERS.decode(raw).items()])

    def _tensor(self, raw: Any, into: list[Text]) -> Hashable:
        text = bytes(raw)
        if text[:1] != b"{":
            if text == b"null":
                return text
            into.append(Text(self._lists.pop(text, text), NOTHING, raw))
            return NOTHING
        given = _TENSOR.decode(raw)
        said = Said(
            bytes(given.dtype), bytes(given.shape), bytes(given.requires_grad), bytes(given.object_type)
        )
        text = bytes(given.data)
        into.append(Text(self._lists.pop(text, text), said, given.data))
        return said if given.grad is _NO_TEXT else (said, self._tensor(given.grad, self.grads))

    def _gradient(self, raw: Any) -> Hashable:
        """A tensor, or several by name."""
        try:
            return self._tensor(raw, self.others)
        except msgspec.ValidationError:
            return self._named(raw, self.others)

    def _calls(self, raw: Any) -> Hashable:
        return tuple([tuple([self._said(*each) for each in call.items()]) for call in _CALLS.decode(raw)])

    def _said(self, name: str, raw: Any) -> Hashable:
        return name, self._tensor(raw, self.others) if name == "gradient" else bytes(raw)


def split(call: Call) -> Split | None:
    """The body of a call that sent plain JSON in two, if it can be split."""
    try:
        return Split(call.route, bytes(call.body))
    except (ValueError, RecursionError):
        return None


def _integer(raw: bytes) -> int:
    """An integer as JSON has it, of 64 bits."""
    digits = raw.removeprefix(b"-")
    if not digits.isdigit() or len(raw) > MAX_DIGITS or (digits[:1] == b"0" and digits != b"0"):
        raise ValueError
    found = int(raw)
    if not -(1 << 63) <= found < 1 << 64:
        raise ValueError
    return found
