"""Sends each request on to another host, which says on its output what it was asked with: redirector.py PORT
[STATUS]"""
import http.server
import sys
import threading

PORT, STATUS = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 307


class Other(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print("ASKED " + "; ".join(f"{k}: {v}" for k, v in self.headers.items()), flush=True)
        self.send_response(200)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args):
        pass


class First(Other):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print("FIRST " + "; ".join(f"{k}: {v}" for k, v in self.headers.items()), flush=True)
        self.send_response(STATUS)
        self.send_header("Location", f"http://127.0.0.2:{PORT}{self.path}")
        self.end_headers()

    do_GET = do_POST


threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.2", PORT), Other).serve_forever, daemon=True).start()
print("up", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), First).serve_forever()
