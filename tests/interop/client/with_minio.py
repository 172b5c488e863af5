"""Runs MinIO's client for Python against a server of S3, and prints a line for each operation: `operation<TAB>ok`, or what went
wrong.

python3 with_minio.py BUCKET URL URL_THAT_CHANGES CA_FILE

The keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""

import io
import sys
from datetime import datetime, timedelta, timezone

import urllib3
from minio import Minio
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, S3Error

from checks import ID, KEY, MEBIBYTE, REFUSALS, SECRET, check, data, expect, fetch, finish, send_form

bucket, url, changing_url, ca = sys.argv[1:]


def client(url=url, secret=SECRET):
    scheme, _, address = url.partition("://")
    pool = urllib3.PoolManager(ca_certs=ca, retries=False, timeout=60)
    return Minio(
        endpoint=address, access_key=ID, secret_key=secret, secure=scheme == "https", region="us-east-1", http_client=pool
    )


s3 = client()


def refused(code, run):
    try:
        run()
    except S3Error as error:
        expect(error.code, code)
        return
    except InvalidResponseError as error:
        # rclone's errors are text/xml, which the client doesn't read.
        expect(f"<Code>{code}</Code>" in str(error), True)
        return
    raise AssertionError("it was accepted")


def store(key, content, client=s3, **more):
    client.put_object(bucket_name=bucket, object_name=key, data=io.BytesIO(content), length=len(content), **more)


def read(key, **more):
    found = s3.get_object(bucket_name=bucket, object_name=key, **more)
    try:
        return found.read()
    finally:
        found.close()
        found.release_conn()


def keys(prefix):
    return [found.object_name for found in s3.list_objects(bucket_name=bucket, prefix=prefix, recursive=True)]


def exists(key):
    # Not in a list: the client sends an empty delimiter, with which s3s-fs lists no objects.
    try:
        s3.stat_object(bucket_name=bucket, object_name=key)
    except S3Error as error:
        expect(error.code, "NoSuchKey")
        return False
    return True


def put():
    s3.make_bucket(bucket_name=bucket)
    store(KEY, b"hello world", metadata={"note": "a b"})
    store("empty", b"")


def get():
    expect(read(KEY), b"hello world")
    expect(s3.stat_object(bucket_name=bucket, object_name=KEY).size, 11)


def get_range():
    expect(read(KEY, offset=6, length=3), b"wor")


def put_whole():
    whole = data(64 * MEBIBYTE)
    store("whole", whole, part_size=64 * MEBIBYTE)
    expect(read("whole") == whole, True)


def list_prefix():
    for number in range(5):
        store(f"list me/a+{number}", b"x")
    expect(keys("list me/a+"), [f"list me/a+{number}" for number in range(5)])


def multipart():
    whole = data(64 * MEBIBYTE)
    store("parts", whole, part_size=8 * MEBIBYTE)
    expect(read("parts") == whole, True)


def presigned_get():
    presigned = s3.presigned_get_object(bucket_name=bucket, object_name=KEY, expires=timedelta(seconds=60))
    expect(fetch("GET", presigned, ca), (200, b"hello world"))
    expect(fetch("GET", presigned.replace("a%2Bb", "a%2Bc"), ca)[0], 403)


def presigned_put():
    presigned = s3.presigned_put_object(bucket_name=bucket, object_name="given", expires=timedelta(seconds=60))
    expect(fetch("PUT", presigned, ca, b"through a URL")[0], 200)
    expect(read("given"), b"through a URL")


def post_form():
    policy = PostPolicy(bucket, datetime.now(timezone.utc) + timedelta(seconds=60))
    policy.add_starts_with_condition("key", "form/")
    policy.add_content_length_range_condition(1, 70_000)
    fields = s3.presigned_post_policy(policy)
    expect(send_form(f"{url}/{bucket}", {"key": "form/a+b ü.txt", **fields}, data(70_000), ca)[0], 204)
    expect(read("form/a+b ü.txt"), data(70_000))
    expect(send_form(f"{url}/{bucket}", {"key": "elsewhere", **fields}, b"x", ca)[0] in REFUSALS, True)
    expect(send_form(f"{url}/{bucket}", {"key": "form/long", **fields}, data(70_001), ca)[0] in REFUSALS, True)
    expect(exists("form/a+b ü.txt"), True)
    for key in ("elsewhere", "form/long"):
        expect((key, exists(key)), (key, False))


def delete():
    s3.remove_object(bucket_name=bucket, object_name="given")
    expect(list(s3.remove_objects(bucket_name=bucket, delete_object_list=[DeleteObject("whole"), DeleteObject("empty")])), [])
    for key in ("given", "whole", "empty"):
        expect((key, exists(key)), (key, False))


def wrong_secret():
    stranger = client(secret="another-secret")
    refused("SignatureDoesNotMatch", lambda: store("stranger", b"hello", stranger))
    refused("SignatureDoesNotMatch", lambda: list(stranger.list_objects(bucket_name=bucket)))
    expect(exists("stranger"), False)


def changed_body():
    changing = client(url=changing_url)
    # Over TLS, it signs no bodies: what refuses them then is the store, by the Content-MD5.
    code = "XAmzContentSHA256Mismatch" if url.startswith("http:") else "BadDigest"
    for count in (10_000, 3 * MEBIBYTE):
        refused(code, lambda: store("changed", data(count), changing))
        expect(exists("changed"), False)


check("put", put)
check("get", get)
check("range", get_range)
check("put 64 MiB", put_whole)
check("list", list_prefix)
check("multipart", multipart)
check("presigned get", presigned_get)
check("presigned put", presigned_put)
check("post form", post_form)
check("delete", delete)
check("wrong secret", wrong_secret)
check("changed body", changed_body)
finish()
