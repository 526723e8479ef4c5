"""Async tests run on asyncio; `client` is a client of the started application."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.harness import serve


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with serve() as found:
        yield found
