"""What the clients in Python share: each operation is a line `operation<TAB>ok`, or what went wrong."""

import hashlib
import os
import ssl
import sys
import traceback
import urllib.error
import urllib.request

MEBIBYTE = 1 << 20
KEY = "dir one/a+b %41 ü~*'().txt"
ID = os.environ["AWS_ACCESS_KEY_ID"]
# Of forms: stores differ in which of them they answer.
REFUSALS = (400, 403)
SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]

failures = 0


def check(operation, run):
    global failures
    try:
        run()
        print(f"{operation}\tok", flush=True)
    except Exception as error:
        failures += 1
        print(f"{operation}\tFAILED: {error!r}".replace("\n", " "), flush=True)
        traceback.print_exc()


def finish():
    sys.exit(failures > 0)


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"{str(got)[:200]} instead of {str(wanted)[:200]}")


def data(count):
    return hashlib.shake_128(b"seed").digest(count)


def fetch(method, url, ca, body=None, headers={}):
    """Returns status and body."""
    context = ssl.create_default_context(cafile=ca)
    # Python's default is the type of forms, of which moto stores nothing.
    headers = {"Content-Type": "application/octet-stream", **headers} if body else headers
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def send_form(url, fields, file, ca):
    """Uploads a file as a browser does. Returns status and body."""
    boundary = "boundary-of-the-form"
    part = '--{}\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    parts = [part.format(boundary, name, "", value).encode() for name, value in fields.items()]
    before = part.format(boundary, "file", '; filename="a.txt"\r\nContent-Type: text/plain', "").encode()
    body = b"".join(parts) + before[:-2] + file + f"\r\n--{boundary}--\r\n".encode()
    return fetch("POST", url, ca, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
