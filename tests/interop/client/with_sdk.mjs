// Runs @aws-sdk/client-s3 against a server of S3, and prints a line for each operation: `operation<TAB>ok`, or what went wrong.
//
// NODE_EXTRA_CA_CERTS=CA_FILE node with_sdk.mjs BUCKET URL URL_THAT_CHANGES

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
    CreateBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand,
    ListObjectsV2Command, PutObjectCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const [bucket, url, changingUrl] = process.argv.slice(2);
const MEBIBYTE = 1 << 20;
const KEY = "dir one/a+b %41 ü~*'().txt";

const client = (endpoint = url, secretAccessKey = process.env.AWS_SECRET_ACCESS_KEY) => new S3Client({
    endpoint, region: "us-east-1", forcePathStyle: true, maxAttempts: 1,
    credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey },
});
const s3 = client();
let failures = 0;

async function check(operation, run) {
    try {
        await run();
        console.log(`${operation}\tok`);
    } catch (error) {
        failures += 1;
        console.log(`${operation}\tFAILED: ${error.name} ${String(error.message).split("\n")[0]}`);
        console.error(error);
    }
}

const data = (count) => createHash("shake128", { outputLength: count }).update("seed").digest();
const put = (Key, Body, more = {}) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));
const get = async (Key, more = {}) => {
    const found = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
    return Buffer.from(await found.Body.transformToByteArray());
};
const keys = async () => {
    const found = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    return (found.Contents ?? []).map(({ Key }) => Key);
};
const refused = (code, promise) => assert.rejects(promise, ({ name, Code }) => {
    assert.equal(Code ?? name, code);
    return true;
});

await check("put", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await put(KEY, "hello world", { Metadata: { note: "a  b" } });
    await put("empty", "");
    // A stream is sent in chunks with a checksum in the trailer, over HTTP too.
    await put("stream", Readable.from([data(100_000), data(50_000)]), { ContentLength: 150_000 });
    assert.ok((await get("stream")).equals(Buffer.concat([data(100_000), data(50_000)])));
});
await check("get", async () => {
    assert.equal((await get(KEY)).toString(), "hello world");
    assert.equal((await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: KEY }))).ContentLength, 11);
});
await check("range", async () => assert.equal((await get(KEY, { Range: "bytes=6-8" })).toString(), "wor"));
await check("put 64 MiB", async () => {
    const whole = data(64 * MEBIBYTE);
    await put("whole", whole);
    assert.ok((await get("whole")).equals(whole));
});
await check("list", async () => {
    const wanted = [0, 1, 2, 3, 4].map((number) => `list me/a+${number}`);
    for (const key of wanted) await put(key, "x");
    const found = [];
    let pages = 0;
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket: bucket, Prefix: "list me/a+" })) {
        pages += 1;
        found.push(...page.Contents.map(({ Key }) => Key));
    }
    assert.deepEqual([found, pages], [wanted, 3]);
});
await check("multipart", async () => {
    const whole = data(64 * MEBIBYTE);
    const upload = { client: s3, params: { Bucket: bucket, Key: "parts", Body: whole }, partSize: 8 * MEBIBYTE, queueSize: 3 };
    await new Upload(upload).done();
    assert.ok((await get("parts")).equals(whole));
});
await check("presigned get", async () => {
    const presigned = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: KEY }), { expiresIn: 60 });
    assert.equal(await (await fetch(presigned)).text(), "hello world");
    assert.equal((await fetch(presigned.replace("a%2Bb", "a%2Bc"))).status, 403);
});
await check("presigned put", async () => {
    const presigned = await getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key: "given" }), { expiresIn: 60 });
    const answer = await fetch(presigned, { method: "PUT", body: "through a URL" });
    assert.equal(answer.status, 200);
    assert.equal((await get("given")).toString(), "through a URL");
});
await check("delete", async () => {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "given" }));
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: "whole" }, { Key: "empty" }] } }));
    const left = await keys();
    for (const key of ["given", "whole", "empty"]) assert.ok(!left.includes(key), key);
});
await check("wrong secret", async () => {
    const stranger = client(url, "another-secret");
    await refused("SignatureDoesNotMatch", stranger.send(new PutObjectCommand({ Bucket: bucket, Key: "stranger", Body: "x" })));
    await refused("SignatureDoesNotMatch", stranger.send(new ListObjectsV2Command({ Bucket: bucket })));
    assert.ok(!(await keys()).includes("stranger"));
});
await check("changed body", async () => {
    const changing = client(changingUrl);
    const changed = (Body, more) => changing.send(new PutObjectCommand({ Bucket: bucket, Key: "changed", Body, ...more }));
    await refused("XAmzContentSHA256Mismatch", changed(data(10_000)));
    await refused("XAmzContentSHA256Mismatch", changed(data(3 * MEBIBYTE)));
    await refused("BadDigest", changed(Readable.from([data(100_000)]), { ContentLength: 100_000 }));
    assert.ok(!(await keys()).includes("changed"));
});
process.exit(failures > 0 ? 1 : 0);
