"""A reverse proxy as docs/how-to/behind-a-proxy.md asks for one, and no more than that."""

import http.client
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any, Final

_ANSWERS_FOR: Final = 20
_OF_A_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


class Proxy:
    """Each request to the next upstream; where that one takes no connection, to the one after."""

    def __init__(self, upstreams: Sequence[int]) -> None:
        self._upstreams = upstreams
        self._turns = count()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.port: int = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def connection(self) -> http.client.HTTPConnection:
        turn = next(self._turns)
        for offset in range(len(self._upstreams)):
            port = self._upstreams[(turn + offset) % len(self._upstreams)]
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWERS_FOR)
            try:
                upstream.connect()
            except ConnectionError:
                continue
            return upstream
        raise ConnectionRefusedError("no web process takes a connection")


def _handler(proxy: Proxy) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = proxy.connection()
            upstream.request(self.command, self.path, body or None, self._handed_on())
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {*_OF_A_CONNECTION, "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        do_GET = do_POST = do_DELETE = handle_one  # noqa: N815  names of the standard library

        def _handed_on(self) -> dict[str, str]:
            """Appends to `X-Forwarded-For`, replaces `X-Forwarded-Proto`."""
            kept = {
                name.lower(): value
                for name, value in self.headers.items()
                if "_" not in name and name.lower() not in _OF_A_CONNECTION
            }
            before = kept.get("x-forwarded-for")
            client = self.client_address[0]
            kept["x-forwarded-for"] = f"{before}, {client}" if before else client
            kept["x-forwarded-proto"] = "https"
            return kept

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    return Handler
