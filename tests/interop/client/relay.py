"""Stands between clients and a server, and prints a line for each request: bucket, method, payload and status.

python3 relay.py FOLDER HTTP_ADDRESS HTTPS_ADDRESS [FORBIDDEN_FILE]

It listens on ports of loopback: `http` passes everything on, `changed-http` and `changed-https` change one byte of each upload.
It writes their addresses to FOLDER/addresses, and needs FOLDER/ca.pem, FOLDER/server.pem and FOLDER/server.key. If a response
contains a line of FORBIDDEN_FILE, it prints LEAK and the number of the line.
"""

import asyncio
import os
import ssl
import sys

# In the data of a chunked upload, too: the header of a chunk is shorter.
CHANGED_AT = 1000
PIECE = 1 << 16


class Head:
    """The first line and the headers of a message."""

    def __init__(self, raw):
        self.raw = raw
        self.first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = [line.partition(":") for line in lines]
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}

    def payload(self):
        value = self.headers.get("x-amz-content-sha256")
        if value is None:
            return "presigned" if "X-Amz-Signature=" in self.first else "unsigned"
        return "hashed" if len(value) == 64 else value


async def read_head(reader):
    raw = await reader.readuntil(b"\r\n\r\n")
    return Head(raw)


async def pieces(reader, length):
    while length:
        piece = await reader.read(min(PIECE, length))
        if not piece:
            raise ConnectionError("the body ended early")
        length -= len(piece)
        yield piece


async def copy_body(head, reader, writer, edit, until_end=False):
    """Copies the body that follows the head. `edit` gets its data without the transfer encoding."""
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        while True:
            line = await reader.readuntil(b"\r\n")
            writer.write(line)
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            async for piece in pieces(reader, size):
                writer.write(edit(piece))
                await writer.drain()
            writer.write(await reader.readexactly(2))
        while line != b"\r\n":
            line = await reader.readuntil(b"\r\n")
            writer.write(line)
    elif "content-length" in head.headers:
        async for piece in pieces(reader, int(head.headers["content-length"])):
            writer.write(edit(piece))
            await writer.drain()
    elif until_end:
        while piece := await reader.read(PIECE):
            writer.write(edit(piece))
            await writer.drain()
    await writer.drain()


class Changer:
    """Changes one byte of a body."""

    def __init__(self):
        self.before = 0

    def __call__(self, data):
        at = CHANGED_AT - self.before
        self.before += len(data)
        if 0 <= at < len(data):
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        return data


class Searcher:
    """Looks for forbidden texts, which may be spread over two pieces."""

    def __init__(self, forbidden):
        self.forbidden = forbidden
        self.longest = max(map(len, forbidden), default=1)
        self.rest = b""

    def __call__(self, data):
        text = self.rest + data
        for number, forbidden in enumerate(self.forbidden, 1):
            if forbidden in text:
                print(f"LEAK {number}", flush=True)
        self.rest = text[-self.longest:]
        return data


async def relay_request(client, server, changes, forbidden):
    """Returns whether the connection can be used again."""
    request = await read_head(client[0])
    method, target, _ = request.first.split(" ", 2)
    edit = Changer() if changes and method == "PUT" else lambda data: data
    server[1].write(request.raw)
    sending = asyncio.create_task(copy_body(request, client[0], server[1], edit))
    try:
        search = Searcher(forbidden)
        status = 100
        while status < 200:
            response = await read_head(server[0])
            search(response.raw)
            client[1].write(response.raw)
            status = int(response.first.split(" ")[1])
        print(target.split("?")[0].split("/")[1], method, request.payload(), status, flush=True)
        if method != "HEAD" and status not in (204, 304):
            await copy_body(response, server[0], client[1], search, until_end=True)
        await client[1].drain()
        # A refusal can arrive before the end of the body.
        await asyncio.wait_for(sending, 10)
    finally:
        sending.cancel()
    closes = [head.headers.get("connection", "").lower() == "close" for head in (request, response)]
    return not any(closes)


def handler(address, changes, tls, forbidden):
    host, port = address.rsplit(":", 1)

    async def handle(reader, writer):
        server = None
        try:
            server = await asyncio.open_connection(host, int(port), ssl=tls)
            while await relay_request((reader, writer), server, changes, forbidden):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            # A client that has no more requests closes the connection, too.
            print(f"a connection ended: {error!r}", file=sys.stderr, flush=True)
        finally:
            for end in filter(None, [writer, server and server[1]]):
                end.close()

    return handle


async def main():
    folder, http, https = sys.argv[1:4]
    forbidden = open(sys.argv[4], "rb").read().split() if len(sys.argv) > 4 else []
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    trusted = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    addresses = ""
    for name, address, inward, outward in [
        ("http", http, None, None),
        ("changed-http", http, None, None),
        ("changed-https", https, served, trusted),
    ]:
        handle = handler(address, name.startswith("changed"), outward, forbidden)
        listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=inward, limit=1 << 20)
        addresses += "{}=127.0.0.1:{}\n".format(name, listening.sockets[0].getsockname()[1])
    with open(f"{folder}/addresses.unfinished", "w") as file:
        file.write(addresses)
    # The script that waits for the file never sees half of it.
    os.rename(f"{folder}/addresses.unfinished", f"{folder}/addresses")
    await asyncio.Event().wait()


asyncio.run(main())
