"""Serve one page to browsers on this machine, and to nobody else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from alfonsine.errors import InputError

ADDRESS = "127.0.0.1"
NAMES = {"127.0.0.1", "localhost"}  # by which a browser may ask: another name that leads here is somebody's trick
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Served:
    """The page that is served, which may be replaced at any time; `port` is where."""

    def __init__(self, port: int) -> None:
        self.page, self.port = "", port


@contextmanager
def serve(port: int) -> Iterator[Served]:
    """Serve a page on `port` of this machine (0: any that is free) until the end of the block.

    InputError where the port is taken or not allowed.
    """
    served = Served(port)
    handler = type("Handler", (_Handler,), {"served": served})
    try:
        server = ThreadingHTTPServer((ADDRESS, port), handler)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"expected a free port, got {port} ({why}); try --serve 8252, or another") from None
    server.daemon_threads = True
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers GET of the page, and nothing else."""

    served: Served
    server_version, sys_version = "alfonsine", ""
    timeout = 10.0  # seconds for a request to come

    def do_GET(self) -> None:
        """Send the page as it is now."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in NAMES or self.path.split("?")[0] not in ("/", "/watch.html"):
            self.send_error(404)
            return
        content = self.served.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the run."""
