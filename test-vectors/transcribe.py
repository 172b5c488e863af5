#!/usr/bin/env python3
"""Transcribes the facts of AWS's published signing test suite into the format of README.md.

    python3 transcribe.py FOLDER/v4 > aws-suite-v4.jsonl
    python3 transcribe.py FOLDER/v4a > aws-suite-v4a.jsonl

FOLDER is `aws-signing-test-suite` of the crates.io package aws-sigv4 1.6.4.
"""

import base64
import json
import pathlib
import sys


def read(case: pathlib.Path, name: str) -> str:
    # The request files end in an empty line or two, the others in one line break or none; no fact ends in a line break
    # but a body, which comes after an empty line.
    return (case / name).read_bytes().decode()


def parse_request(text: str):
    head, _, body = text.partition("\n\n")
    request_line, *lines = head.rstrip("\n").split("\n")
    # A raw space may be part of the target.
    method, _, rest = request_line.partition(" ")
    target, _, version = rest.rpartition(" ")
    assert version == "HTTP/1.1", request_line
    headers = []
    for line in lines:
        if line[0] in " \t":
            # A fold reaches a signer as spaces: RFC 9112 5.2.
            headers[-1][1] += " " + line
        else:
            name, _, value = line.partition(":")
            headers.append([name, value])
    return method, target, headers, body


def with_published_target(case: pathlib.Path, target: str) -> str:
    # The package's request.txt of this case has %20 where the published suite, and its own signed request, have a space.
    if case.name == "get-space-normalized":
        _, target, _, _ = parse_request(read(case, "header-signed-request.txt"))
    return target


def transcribe(case: pathlib.Path):
    algorithm = case.parent.name
    assert algorithm in ("v4", "v4a"), algorithm
    context = json.loads(read(case, "context.json"))
    method, target, headers, body = parse_request(read(case, "request.txt"))
    target = with_published_target(case, target)
    host = next(value for name, value in headers if name.lower() == "host")
    credentials = context["credentials"]
    for location in ("header", "query"):
        if not (case / f"{location}-canonical-request.txt").exists():
            continue
        canonical_request = read(case, f"{location}-canonical-request.txt").rstrip("\n")
        signed_headers = canonical_request.split("\n")[-2]
        content_sha256 = "x-amz-content-sha256" in signed_headers.split(";")
        expect = {
            "canonical_request": canonical_request,
            "string_to_sign": read(case, f"{location}-string-to-sign.txt").rstrip("\n"),
            "signature": read(case, f"{location}-signature.txt").strip(),
            "signed_headers": signed_headers,
        }
        if algorithm == "v4a":
            # Two signatures of each are published; no two signings give the same.
            signature = expect.pop("signature")
            point = json.loads(read(case, "public-key.json"))
            expect["public_key"] = {"x": point["X"], "y": point["Y"]}
        _, signed_target, signed_request_headers, _ = parse_request(read(case, f"{location}-signed-request.txt"))
        if location == "header":
            expect["authorization"] = next(v for n, v in signed_request_headers if n == "Authorization")
        else:
            expect["query"] = f"https://{host}{signed_target}"
        if algorithm == "v4a":
            whole = expect["authorization" if location == "header" else "query"]
            expect["signatures_that_must_verify"] = {
                f"{location}-signature": signature,
                f"{location}-signed-request": whole.partition("Signature=")[2].partition("&")[0],
            }
        yield {
            "id": f"{case.name}/{location}",
            **({"suite": "aws-suite-v4"} if algorithm == "v4" else {"suite": "sigv4a", "kind": "request"}),
            "source": [f"aws-c-auth aws-signing-test-suite/{algorithm}"],
            "request": {
                "method": method,
                "url": f"https://{host}{target}",
                "headers": headers,
                "body_b64": base64.b64encode(body.encode()).decode(),
            },
            "context": {
                "access_key": credentials["access_key_id"],
                "secret_key": credentials["secret_access_key"],
                "session_token": credentials.get("token"),
                "region": context["region"],
                "service": context["service"],
                "timestamp": context["timestamp"].replace("-", "").replace(":", ""),
                "location": location,
                "normalize_path": context["normalize"],
                "double_encode": True,
                "payload": "signed+header" if content_sha256 else "signed",
                "expires": context["expiration_in_seconds"] if location == "query" else None,
                "omit_session_token": context.get("omit_session_token", False),
                **({"algorithm": "AWS4-ECDSA-P256-SHA256"} if algorithm == "v4a" else {}),
            },
            "expect": expect,
        }


def main() -> None:
    [folder] = sys.argv[1:]
    for case in sorted(pathlib.Path(folder).iterdir()):
        # Two folders of an older form, which the published suite doesn't have, come without a context.
        if (case / "context.json").exists():
            for line in transcribe(case):
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
