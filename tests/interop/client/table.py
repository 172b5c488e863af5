"""Prints what each client could do, and ends with an error if something isn't as expected.

python3 table.py STORE RESULTS ROW...

RESULTS has lines `row<TAB>operation<TAB>result`. A row is CLIENT-KIND. If there are rows of the kind `direct`, an operation
that fails there may fail in the other rows of the client.
"""

import sys

OPERATIONS = ["put", "get", "range", "put 64 MiB", "list", "multipart", "presigned get", "presigned put", "post form", "delete",
              "wrong secret", "changed body"]
ALWAYS = ["wrong secret", "changed body"]
# What they have no command for.
CANNOT = {
    "boto3": [],
    "minio": [],
    "js-sdk": ["post form"],
    # It doesn't read rclone's answer to CreateMultipartUpload, which has another root element than S3's.
    "rust-sdk": ["multipart", "post form"],
    "rust-sdk-s3s": ["post form"],
    "cli": ["put 64 MiB", "presigned put", "post form"],
    "cli2": ["put 64 MiB", "presigned put", "post form"],
    "rclone": ["put 64 MiB", "presigned put", "post form"],
    "restic": ["put 64 MiB", "multipart", "presigned get", "presigned put", "post form"],
    "s5cmd": ["range", "put 64 MiB", "presigned put", "post form"],
}

# The client signs no bodies over TLS but sends a Content-MD5. moto doesn't check it; s3s-fs checks that of whole objects, after it
# has stored them.
UNCHECKED = {
    (store, f"{client}-https", "changed body") for store in ("moto", "s3s") for client in ("cli2", "minio", "rclone", "restic")
}

store, results_file, *rows = sys.argv[1:]
results = {}
for line in open(results_file):
    row, operation, result = line.rstrip("\n").split("\t")
    assert operation in OPERATIONS, operation
    results[row, operation] = result.split(":")[0]

failures = 0
def line(first, cells):
    return f"{first:<20}" + "".join(f"{text:<15}" for text in cells).rstrip()


print(line("", OPERATIONS))
for row in rows:
    client, kind = row.rsplit("-", 1)
    cells = []
    for operation in OPERATIONS:
        if operation in CANNOT[client] or kind == "direct" and operation in ALWAYS:
            cells.append("–")
            continue
        result = results.get((row, operation), "MISSING")
        is_needed = operation in ALWAYS or results.get((f"{client}-direct", operation), "ok") == "ok"
        if result != "ok" and kind == "direct":
            result = "unsupported"
        elif result != "ok" and not is_needed:
            result = "as directly"
        elif (store, row, operation) in UNCHECKED:
            result = "unchecked"
        elif result != "ok":
            failures += 1
        cells.append(result)
    print(line(row, cells))
print(f"{failures} failures")
sys.exit(min(failures, 100))
