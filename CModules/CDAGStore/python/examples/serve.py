"""Serves the blocks of a folder of CARs: GET /block/CID.

python serve.py STORE FOLDER [PORT]
"""

import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagstore


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        prefix, _, text = self.path.rpartition("/")
        try:
            if prefix != "/block":
                raise dagstore.InvalidCID("the path must be /block/CID", -12)
            self.answer(200, store.get(text, timeout=10, verify=True))
        except dagstore.InvalidCID as error:
            self.answer(400, f"{error}\n".encode())
        except dagstore.BlockNotFound as error:
            self.answer(404, f"{error}\n".encode())
        except dagstore.Error as error:
            self.answer(502, f"{error} ({error.code})\n".encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


dagstore.install_mapping_guard()
with dagstore.open(sys.argv[1]) as store:
    for car in sorted(pathlib.Path(sys.argv[2]).resolve().glob("*.car")):
        try:
            if store.state(car.name) == "none":
                store.register(car.name, "file://" + str(car).replace("%", "%25"), lazy=True)
            store.initialize(car.name)
        except dagstore.Error as error:
            print(f"not served: {car.name}: {error} ({error.code})", file=sys.stderr)
    server = ThreadingHTTPServer(
        ("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 8080), Handler
    )
    print(f"serving {store.statistics().blocks} blocks on port {server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
