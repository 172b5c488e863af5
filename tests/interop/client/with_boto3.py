"""Runs boto3 against a server of S3, and prints a line for each operation: `operation<TAB>ok`, or what went wrong.

python3 with_boto3.py BUCKET URL URL_THAT_CHANGES CA_FILE

The keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""

import io
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from checks import ID, KEY, MEBIBYTE, REFUSALS, SECRET, check, data, expect, fetch, finish, send_form

bucket, url, changing_url, ca = sys.argv[1:]


def client(url=url, secret=SECRET):
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=ID,
        aws_secret_access_key=secret,
        verify=ca,
        config=Config(
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            retries={"max_attempts": 0},
            read_timeout=60,
        ),
    )


s3 = client()


def refused(codes, run):
    try:
        run()
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
        return
    raise AssertionError("it was accepted")


def exists(key):
    # Not in a list: stores differ in how they encode names there.
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False
    return True


def put():
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"hello world", Metadata={"note": "a  b"})
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")


def get():
    expect(s3.get_object(Bucket=bucket, Key=KEY)["Body"].read(), b"hello world")
    expect(s3.head_object(Bucket=bucket, Key=KEY)["ContentLength"], 11)
    expect(s3.get_object(Bucket=bucket, Key="empty")["Body"].read(), b"")


def get_range():
    expect(s3.get_object(Bucket=bucket, Key=KEY, Range="bytes=6-8")["Body"].read(), b"wor")


def put_whole():
    """64 MiB in one request: more than the gate buffers."""
    whole = data(64 * MEBIBYTE)
    s3.put_object(Bucket=bucket, Key="whole", Body=whole)
    expect(s3.get_object(Bucket=bucket, Key="whole")["Body"].read() == whole, True)


def list_pages():
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"list me/a+{number}", Body=b"x")
    pages = list(s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="list me/a+", PaginationConfig={"PageSize": 2}))
    expect([found["Key"] for page in pages for found in page["Contents"]], [f"list me/a+{number}" for number in range(5)])
    expect(len(pages), 3)


def multipart():
    whole = data(64 * MEBIBYTE)
    s3.upload_fileobj(io.BytesIO(whole), bucket, "parts", Config=TransferConfig(
        multipart_threshold=5 * MEBIBYTE, multipart_chunksize=8 * MEBIBYTE, max_concurrency=3))
    found = s3.get_object(Bucket=bucket, Key="parts")
    expect(found["Body"].read() == whole, True)


def presigned_get():
    presigned = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY}, ExpiresIn=60)
    expect(fetch("GET", presigned, ca), (200, b"hello world"))
    # Another key with the same signature.
    expect(fetch("GET", presigned.replace("a%2Bb", "a%2Bc"), ca)[0], 403)


def presigned_put():
    presigned = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "given"}, ExpiresIn=60)
    expect(fetch("PUT", presigned, ca, b"through a URL")[0], 200)
    expect(s3.get_object(Bucket=bucket, Key="given")["Body"].read(), b"through a URL")


def post_form():
    def form(name, signer=s3, **changes):
        conditions = [["content-length-range", 1, 70_000]]
        form = signer.generate_presigned_post(bucket, name, Conditions=conditions, ExpiresIn=60)
        return form["url"], {**form["fields"], **changes}

    key = "form/a+b ü.txt"
    expect(send_form(*form(key), data(70_000), ca)[0], 204)
    expect(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), data(70_000))
    stranger = client(secret="another-secret")
    for sent in [
        form("form/stranger", signer=stranger),
        form("form/a", key="elsewhere"),
        form("form/changed", **{"x-amz-signature": "0" * 64}),
        form("form/more", **{"x-amz-meta-more": "1"}),
    ]:
        expect(send_form(*sent, b"x", ca)[0] in REFUSALS, True)
    expect(send_form(*form("form/long"), data(70_001), ca)[0] in REFUSALS, True)
    expect(exists(key), True)
    for name in ("form/stranger", "form/a", "elsewhere", "form/changed", "form/more", "form/long"):
        expect((name, exists(name)), (name, False))


def delete():
    s3.delete_object(Bucket=bucket, Key="given")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "whole"}, {"Key": "empty"}]})
    for key in ("given", "whole", "empty"):
        expect((key, exists(key)), (key, False))


def wrong_secret():
    stranger = client(secret="another-secret")
    refused(["SignatureDoesNotMatch"], lambda: stranger.put_object(Bucket=bucket, Key="stranger", Body=b"hello"))
    refused(["SignatureDoesNotMatch"], lambda: stranger.list_objects_v2(Bucket=bucket))
    expect(exists("stranger"), False)


def changed_body():
    changing = client(url=changing_url)
    for count in (10_000, 3 * MEBIBYTE):
        # Hashed over HTTP; over TLS, the checksum in the trailer.
        refused(
            ["XAmzContentSHA256Mismatch"] if url.startswith("http:") else ["BadDigest"],
            lambda: changing.put_object(Bucket=bucket, Key="changed", Body=data(count)),
        )
        expect(exists("changed"), False)


check("put", put)
check("get", get)
check("range", get_range)
check("put 64 MiB", put_whole)
check("list", list_pages)
check("multipart", multipart)
check("presigned get", presigned_get)
check("presigned put", presigned_put)
check("post form", post_form)
check("delete", delete)
check("wrong secret", wrong_secret)
check("changed body", changed_body)
finish()
