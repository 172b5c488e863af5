"""Sends one request, signed by botocore, in a way that is named: with_botocore.py URL WAY SENT ANSWER.

Writes the request as it was signed and the answer into these two files, as raw HTTP. Prints the status.
"""

import datetime
import sys

import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

url, way, sent, answer = sys.argv[1:]
method = "POST" if way == "body" else "GET"
secret = "anotherSECRET" if way == "secret" else "gateSECRETEXAMPLE"
service = "sts" if way == "service" else "execute-api"
if way == "clock":
    early = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=20)
    botocore.auth.get_current_datetime = lambda *_, **__: early.replace(tzinfo=None)

request = AWSRequest(method=method, url=url, data=b"a=1" if method == "POST" else None)
if way != "unsigned":
    SigV4Auth(Credentials("AKIDGATE", secret), service, "us-east-1").add_auth(request)
prepared = request.prepare()
signed_body = prepared.body
if way == "body":
    # As something between client and server would.
    prepared.body = b"a=2"
response = URLLib3Session(timeout=20).send(prepared)

host, path = url.split("//", 1)[1].split("/", 1)


def raw(first, headers, body):
    lines = [first] + [f"{name}: {value.decode() if isinstance(value, bytes) else value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


with open(sent, "wb") as file:
    file.write(raw(f"{method} /{path} HTTP/1.1", [("Host", host), *prepared.headers.items()], signed_body))
with open(answer, "wb") as file:
    first = f"HTTP/1.1 {response.status_code} {response.raw.reason}"
    file.write(raw(first, response.headers.items(), response.content))
print(response.status_code)
