"""Your notes: an app of one file that knows nothing of passwords, cookies or sessions.

It runs behind nginx as in ../nginx/nginx.conf (or behind Caddy or HAProxy): the proxy asks Latchkey who it
is, and the app reads the account from one header, and the email address, once it is confirmed, from another. Start it with `python3 notes.py`.
"""

from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

# Reachable by the proxy alone: who can ask the app directly can say that they are anyone.
ADDRESS = ("127.0.0.1", 4000)

LARGEST_NOTE = 10_000

# By account, not by email address: people change those.
notes = {}

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Your notes</title>
<h1>Your notes</h1>
<p>{who} <a href="/auth/settings/security">Where am I logged in?</a></p>
<ul>{items}</ul>
<form method="post"><label>Note <input name="note" required></label> <button>Keep</button></form>
"""


class Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        account = self.headers["Remote-Account"]
        if not account:
            return self.answer(401, "This app is reached through its proxy.")
        items = "".join(f"<li>{escape(note)}</li>" for note in notes.get(account, []))
        # Missing until the address is confirmed, so nothing may hang on it.
        email = self.headers["Remote-User"]
        who = f"Signed in as {escape(email)}." if email else "Signed in; your email address isn't confirmed yet."
        self.answer(200, PAGE.format(who=who, items=items))

    def do_POST(self):
        account = self.headers["Remote-Account"]
        length = int(self.headers["Content-Length"] or 0)
        if not account or length > LARGEST_NOTE:
            self.close_connection = True
            return self.answer(413 if account else 401, "Not kept.")
        form = parse_qs(self.rfile.read(length).decode())
        notes.setdefault(account, []).append(form.get("note", [""])[0])
        self.answer(303, "", {"Location": "/"})

    def answer(self, status, text, headers={}):
        body = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(ADDRESS, Notes).serve_forever()
