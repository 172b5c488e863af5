"""Makes the same calls with countersign, awscurl and curl, and writes what each does as Markdown.

    compare.py check API S3 COUNTERSIGN
    compare.py write FILE API S3 SKEWED COUNTERSIGN AWSCURL CURL_LIBRARIES

API, S3 and SKEWED are ports of `verifying`, with the rules of API Gateway, of S3, and a clock that is 20 minutes ahead.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ID, SECRET = "AKIDEXAMPLE", "secretEXAMPLE"

# A URL, and the reason why we don't send it, if we don't.
RAW = "refused before anything is sent, with the encoded URL to use instead: clients encode such characters in different ways"
URLS = [
    ("//", ""),
    ("//a//b/", ""),
    ("/a/./b", ""),
    ("/a/../b", ""),
    ("/a%2Fb", ""),
    ("/a%2fb", ""),
    ("/%252F", ""),
    ("/a%20b", ""),
    ("/a+b", ""),
    ("/a%2Bb", ""),
    ("/a:b", ""),
    ("/a@b", ""),
    ("/a[1]", ""),
    ("/a;b=c", ""),
    ("/(a)!*'~", ""),
    ("/%C3%A9", ""),
    ("/%7Ea", ""),
    ("/é", RAW),
    ("/a b", RAW),
    ("/p?", ""),
    ("/p?a", ""),
    ("/p?a=", ""),
    ("/p?a&b=&c", ""),
    ("/p?b=2&a=1", ""),
    ("/p?B=2&a=1", ""),
    ("/p?a=2&a=1&a=2", ""),
    ("/p?a=1&a-b=2&a%2Db=3", ""),
    ("/p?a=b=c", ""),
    ("/p?a=/", ""),
    ("/p?a=%2F", ""),
    ("/p?a=%2f", ""),
    ("/p?a=+", ""),
    ("/p?a=%2B", ""),
    ("/p?a=%20", ""),
    ("/p?a=:@", ""),
    ("/p?a=!*'()~", ""),
    ("/p?a[]=1&a[]=2", ""),
    ("/p?a=%C3%A9", ""),
    ("/p?%C3%A9=a", ""),
    ("/p?a=é", RAW),
    ("/p?prefix=a%20b%2F&list-type=2", ""),
]


class Client:
    """How to call a client: its name, its command line for a URL, and its environment."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.command = command
        self.environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **(environment or {})}

    def run(self, url, service, secret=SECRET, region="us-east-1", flags=()):
        command = self.command(url, service, secret, region) + list(flags)
        started = time.perf_counter()
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        taken = time.perf_counter() - started
        out, err = (text.decode("utf-8", "replace").strip() for text in (done.stdout, done.stderr))
        # A message of the loader about the library, not of curl.
        err = "\n".join(line for line in err.splitlines() if "no version information available" not in line)
        return done.returncode, out, err, taken


def countersign(binary):
    def command(url, service, secret, region):
        return [binary, "request", "--max-time", "30", "--user", f"{ID}:{secret}", "--region", region, "--service", service, url]

    return Client("countersign", command)


def awscurl(program):
    def command(url, service, secret, region):
        return [
            sys.executable, program, "--access_key", ID, "--secret_key", secret, "--region", region, "--service", service, url,
        ]

    return Client("awscurl", command, {"PYTHONPATH": str(Path(program).parent.parent)})


def curl(libraries):
    def command(url, service, secret, region):
        # curl has no rules for S3: its users add the header. Current versions refuse
        # --path-as-is together with --aws-sigv4.
        s3 = ["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"] if service == "s3" else []
        sigv4 = ["--aws-sigv4", f"aws:amz:{region}:{service}", "--user", f"{ID}:{secret}"]
        return ["curl", "--silent", "--show-error", "--max-time", "30", "--globoff", *s3, *sigv4, url]

    return Client("curl", command, {"LD_LIBRARY_PATH": libraries})


def outcome(client, port, service, target):
    """`yes` if the server accepted the request and got the target as typed; otherwise what happened."""
    code, out, err, _ = client.run(f"http://127.0.0.1:{port}{target}", service)
    if code == 0 and out == target:
        return "yes"
    if code == 0 and out.startswith("/"):
        return f"sent as `{out}`"
    if client.name == "countersign" and code == 2 and "must be encoded as" in err:
        return "not sent"
    if "SignatureDoesNotMatch" in out or "signature we calculated does not match" in out + err:
        return "wrong signature"
    lines = (err or out).splitlines() or ["nothing"]
    return f"exit code {code}: `{lines[-1][:70]}`"


def check(api, s3, binary):
    ours, bad = countersign(binary), []
    for service, port in (("execute-api", api), ("s3", s3)):
        for target, reason in URLS:
            got = outcome(ours, port, service, target)
            if got != ("not sent" if reason else "yes"):
                bad.append(f"{service} {target}: {got}")
    print(f"{2 * len(URLS)} URLs, {len(bad)} failures", *bad, sep="\n")
    sys.exit(bool(bad))


def cell(text):
    return text.replace("|", "\\|")


def urls(clients, api, s3, lines):
    lines += ["| URL | " + " | ".join(f"{client.name}, {rules}" for rules in ("API Gateway", "S3") for client in clients) + " | note |"]
    lines += ["|---" * (2 * len(clients) + 2) + "|"]
    wins = {client.name: 0 for client in clients}
    for target, reason in URLS:
        cells = []
        for service, port in (("execute-api", api), ("s3", s3)):
            for client in clients:
                got = outcome(client, port, service, target)
                wins[client.name] += got == "yes"
                cells.append(got)
                if client is clients[0] and got != ("not sent" if reason else "yes"):
                    sys.exit(f"countersign is not ahead for {target} ({service}), for no known reason: {got}")
        lines.append("| " + " | ".join(cell(text) for text in [f"`{target}`", *cells, reason]) + " |")
    lines.append("")
    total = 2 * len(URLS)
    return [f"{client.name} {wins[client.name]} of {total}" for client in clients]


REFUSALS = [
    ("A wrong secret", "api", "execute-api", "/list", {"secret": "another-secret"}),
    ("A wrong secret, S3", "s3", "s3", "/bucket/key", {"secret": "another-secret"}),
    ("A clock that is 20 minutes behind", "skewed", "execute-api", "/list", {}),
    ("The wrong region", "api", "execute-api", "/list", {"region": "eu-west-1"}),
    ("The wrong service", "api", "lambda", "/list", {}),
    ("A route that doesn't exist, or has another method", "api", "execute-api", "/no-such-route", {}),
]
# What a person needs to read to know the cause.
CAUSES = ["secret access key doesn't belong", "secret access key doesn't belong", "20 minutes behind", "wrong region", "wrong service", "no such route"]


def refusals(clients, ports, lines):
    table = ["| refusal | " + " | ".join(client.name for client in clients) + " |", "|---" * (len(clients) + 1) + "|"]
    texts = []
    for (title, server, service, target, wrong), cause in zip(REFUSALS, CAUSES):
        cells = []
        texts += [f"### {title}", ""]
        for client in clients:
            code, out, err, _ = client.run(f"http://127.0.0.1:{ports[server]}{target}", service, **wrong)
            printed = "\n".join(part for part in (out, err) if part)
            # The date and signatures are other ones in each run.
            printed = re.sub(r"\b20\d{6}(T\d{6}Z)?\b", "DATE", printed)
            printed = re.sub(r"\b(?:[0-9a-f]{2} ){8,}[0-9a-f]{2}\b", "BYTES", printed)
            printed = re.sub(r"\b[0-9a-f]{64}\b", "HASH", printed).replace(f":{ports[server]}", ":PORT")
            named = cause in printed
            if client is clients[0] and not named:
                sys.exit(f"countersign doesn't name the cause of {title}: {printed}")
            kept = printed.splitlines()
            cells.append(f"{'names the cause' if named else 'prints the answer'}; exit code {code}")
            texts += [f"{client.name}:", "", "```text", *(line if len(line) <= 200 else line[:200] + "…" for line in kept), "```", ""]
        table.append("| " + " | ".join([title, *cells]) + " |")
    lines += [*table, "", *texts]


def median_ms(client, port):
    times = [client.run(f"http://127.0.0.1:{port}/list", "execute-api")[3] for _ in range(21)]
    return statistics.median(times) * 1000


def folder_bytes(folder):
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def curl_bytes(libraries):
    """The tool and the libraries that it loads, without the C library."""
    tool = shutil.which("curl")
    found = subprocess.run(["ldd", tool], env={"LD_LIBRARY_PATH": libraries}, capture_output=True, text=True, check=True)
    paths = re.findall(r"=> (\S+)", found.stdout)
    base = re.compile(r"lib(c|m|dl|pthread|resolv|rt|gcc_s)\.so")
    return os.path.getsize(tool) + sum(os.path.getsize(path) for path in paths if not base.match(Path(path).name))


def write(file, api, s3, skewed, binary, program, libraries):
    clients = [countersign(binary), awscurl(program), curl(libraries)]
    version = subprocess.run(["curl", "--version"], env=clients[2].environment, capture_output=True, text=True, check=True)
    libcurl = re.search(r"libcurl/(\S+)", version.stdout)[1]
    rows, printed = [], []
    counts = urls(clients, api, s3, rows)
    refusals(clients, {"api": api, "s3": s3, "skewed": skewed}, printed)
    times = [median_ms(client, api) for client in clients]
    sizes = [os.path.getsize(binary), folder_bytes(Path(program).parent.parent), curl_bytes(libraries)]
    lines = [
        "# The same calls with countersign, awscurl and curl",
        "",
        f"Written by `tests/interop/cli --compare`; don't edit. awscurl 0.44, `curl --aws-sigv4` with libcurl {libcurl} and `--globoff`;"
        " it refuses `--path-as-is` with `--aws-sigv4`.",
        "",
        "| | " + " | ".join(client.name for client in clients) + " | note |",
        "|---|---|---|---|---|",
        "| URLs accepted by the server as typed | " + " | ".join(count.split(" ", 1)[1] for count in counts)
        + f" | of ours, {sum(bool(reason) for _, reason in URLS) * 2} are refused before anything is sent, with the URL to use |",
        "| Start, sign, send and print the answer (median of 21) | " + " | ".join(f"{taken:.0f} ms" for taken in times) + f" | {slower(times)} |",
        "| Installed | " + " | ".join(f"{size / 1e6:.1f} MB" for size in sizes)
        + f" | {larger(sizes)}awscurl also needs Python; curl is counted with its libraries, without the C library |",
        "",
        "## URLs",
        "",
        "“yes”: the server accepted the signature, and the path and query arrived byte for byte as typed.",
        "",
        *rows,
        "## Refusals",
        "",
        "A server with the wording of API Gateway and S3, which echo what they computed. Dates and hashes are replaced.",
        "",
        *printed,
    ]
    Path(file).write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print("\n".join(lines[4:10]))


def slower(times):
    return "" if times[0] <= min(times) else f"{times[0] - min(times):.0f} ms slower than the fastest"


def larger(sizes):
    return "" if sizes[0] <= min(sizes) else "ours has its own TLS and all of its libraries in one file; "


if __name__ == "__main__":
    {"check": check, "write": write}[sys.argv[1]](*sys.argv[2:])
