"""Which form a request has and which its answer gets, by the headers."""

import pytest

from app import negotiation
from app.compute.call import BINARY, JSON, Form
from app.errors import Problem


def wanted(**headers: str) -> Form:
    return negotiation.wanted(
        {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}, 1000
    )


def sent(**headers: str) -> Form:
    return negotiation.sent(
        {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        ("", None),
        (JSON, JSON),
        (BINARY, BINARY),
        (BINARY.upper(), BINARY),
        (f"{BINARY}; v=1", BINARY),
        (f"{JSON}, {BINARY}", JSON),
        (f"{BINARY}, {JSON}", BINARY),
        (f"{JSON};q=0.5, {BINARY}", BINARY),
        (f"{BINARY};q=0.999, {JSON}", JSON),
        (f"{BINARY}, */*", BINARY),
        (f"*/*, {BINARY}", BINARY),
        (f"{BINARY};q=0.1, */*", JSON),
        (f"{BINARY};q=0.1, */*;q=0.01", BINARY),
        (f"*/*, {JSON};q=0", BINARY),
        (f"application/*;q=0.5, {JSON};q=0.4", BINARY),
        (f"{BINARY} ; q = 0.5 ,{JSON} ;q=0.6", JSON),
        (f"{BINARY};q=1.0000", BINARY),
        (f"{BINARY};q=nonsense", BINARY),
        ("application/problem+json", None),
        ("text/html", None),
        (f"{JSON};q=0, {BINARY};q=0.0", None),
        ("application/*;q=0, */*", None),
        ("*/*;q=0", None),
        ("," * 1000, None),
    ],
)
def test_media(accept: str, media: str | None) -> None:
    if media is not None:
        assert wanted(accept=accept).media == media
        return
    with pytest.raises(Problem) as caught:
        wanted(accept=accept)
    assert caught.value.code.name == "not-acceptable"
    assert caught.value.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", "identity"),
        ("*", "identity"),
        ("identity", "identity"),
        ("br, deflate", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("gzip;q=0.5, zstd;q=0.1", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip, identity", "gzip"),
        ("gzip;q=0.5, identity", "identity"),
        ("gzip;q=0.5, *", "identity"),
        ("identity;q=0.5, *;q=0", "identity"),
        ("gzip;q=0, identity;q=0.1", "identity"),
    ],
)
def test_codings(accepted: str, coding: str) -> None:
    found = wanted(accept_encoding=accepted)
    assert found == Form(JSON, coding, 0 if coding == "identity" else 1000)
    assert wanted(accept_encoding=accepted, accept=BINARY) == Form(BINARY)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0, zstd, gzip", "gzip"),
        ("identity;q=0, zstd;q=0.5, gzip;q=0.1", "zstd"),
        ("identity;q=0, *", "gzip"),
        ("identity;q=0, gzip;q=0, *", "zstd"),
        ("*;q=0, zstd", "zstd"),
        ("identity;q=0", None),
        ("*;q=0", None),
        ("identity;q=0, br", None),
        ("identity;q=0, gzip;q=0, zstd;q=0, *", None),
    ],
)
@pytest.mark.parametrize("media", [JSON, BINARY])
def test_clients_that_take_no_plain_answer(accepted: str, coding: str | None, media: str) -> None:
    if coding is not None:
        assert wanted(accept_encoding=accepted, accept=media) == Form(media, coding)  # however small it is
        return
    with pytest.raises(Problem) as caught:
        wanted(accept_encoding=accepted, accept=media)
    assert caught.value.code.name == "not-acceptable"


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"content_type": JSON}, Form()),
        ({"content_type": BINARY}, Form(BINARY)),
        ({"content_type": f"{BINARY}; v=1"}, Form(BINARY)),
        ({"content_type": JSON, "content_encoding": "identity"}, Form()),
        ({"content_type": JSON, "content_encoding": " GZIP "}, Form(JSON, "gzip")),
        ({"content_type": JSON, "content_encoding": "x-gzip"}, Form(JSON, "gzip")),
        ({"content_type": BINARY, "content_encoding": "zstd"}, Form(BINARY, "zstd")),
    ],
)
def test_what_is_read(headers: dict[str, str], form: Form) -> None:
    assert sent(**headers) == form


@pytest.mark.parametrize(
    "coding", ["br", "deflate", "gzip, gzip", "gzip,zstd", "identity, gzip", "gzip;q=1", "*"]
)
def test_one_layer_of_a_known_coding(coding: str) -> None:
    with pytest.raises(Problem) as caught:
        sent(content_type=JSON, content_encoding=coding)
    assert caught.value.code.name == "unsupported-media-type"
    assert caught.value.headers == {"Accept-Encoding": "zstd, gzip"}


def test_clients_are_told_which_types_are_read() -> None:
    with pytest.raises(Problem) as caught:
        sent(content_type="application/octet-stream")
    assert caught.value.headers == {"Accept-Post": f"{JSON}, {BINARY}"}
