"""`python -m app`: serve, and say first where, with a request to paste."""

from __future__ import annotations

import copy
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from app import __version__
from app.graphs.database import Database
from app.settings import Settings, SettingsError

FIRST_REQUEST = """\
curl -s {url}/backward -H 'Content-Type: application/json' -d '{{
  "inputs":  {{"x": {{"data": [[1, 1], [1, 1]], "requires_grad": true}}}},
  "graph":   [{{"id": "y",   "op": "add",  "in": ["x", 2]}},
              {{"id": "z",   "op": "mul",  "in": [{{"op": "mul", "in": ["y", "y"]}}, 3]}},
              {{"id": "out", "op": "mean", "in": ["z"]}}],
  "outputs": ["z", "out"]
}}'"""


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; 2 for impossible settings, 1 for an address that is taken."""
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        print(f"gradwire cannot start:\n{error}", file=sys.stderr)
        return 2
    if complaint := unusable(settings):
        print(f"gradwire cannot use GRADWIRE_STORE={settings.store}: {complaint}", file=sys.stderr)
        return 2
    try:
        listener = listen(settings)
    except OSError as error:
        print(f"gradwire cannot listen on {settings.host}:{settings.port}: {error.strerror}", file=sys.stderr)
        return 1
    url = address(settings.host, listener.getsockname()[1])
    print(
        f"gradwire {__version__} serves on {url} (docs: {url}/docs, stop: Ctrl-C). A first request:\n",
        flush=True,
    )
    print(FIRST_REQUEST.format(url=url), end="\n\n", flush=True)
    server = uvicorn.Server(configure(settings))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return 0
    return 0 if server.started else 1


def unusable(settings: Settings) -> str | None:
    """Why the store that was asked for cannot be used; the service goes on without that of no choice."""
    if settings.store == Settings.model_fields["store"].default:
        return None
    return Database(settings.store).check()


def listen(settings: Settings) -> socket.socket:
    """A socket on the address of the settings; it is bound first so that a port of 0 is known."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=settings.backlog)


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # every address includes this one
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def configure(settings: Settings) -> uvicorn.Config:
    """uvicorn with the strictest of its parsers and a bound on everything that waits."""
    from app.main import create_app
    from app.protocol import Protocol

    return uvicorn.Config(
        create_app(settings),
        http=Protocol,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        ws="none",
        lifespan="on",
        log_config=logging_config(),
        log_level=settings.log_level,
        access_log=settings.access_log,
        server_header=False,
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        backlog=settings.backlog,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def logging_config() -> dict[str, Any]:
    """uvicorn's own, all of it on standard error, the service's logger beside it."""
    config = copy.deepcopy(LOGGING_CONFIG)
    config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    config["loggers"]["gradwire"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config


if __name__ == "__main__":
    sys.exit(main())
