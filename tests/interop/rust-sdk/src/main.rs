//! Runs the AWS SDK for Rust against a server of S3, and prints a line for each operation: `operation<TAB>ok`, or what went
//! wrong.
//!
//! ```sh
//! cargo run -- BUCKET URL URL_THAT_CHANGES CA_FILE [--without-multipart]
//! ```
//!
//! The keys are in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

type Fallible<T = ()> = Result<T, Box<dyn Error>>;

const KEY: &str = "dir one/a+b %41 ü~*'().txt";
const MEBIBYTE: usize = 1 << 20;

struct Server {
    s3: Client,
    changing: Client,
    stranger: Client,
    bucket: String,
    is_tls: bool,
    ca: String,
}

#[tokio::main]
async fn main() -> Fallible {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bucket, url, changing_url, ca, flags @ ..] = &arguments[..] else {
        return Err("BUCKET URL URL_THAT_CHANGES CA_FILE [--without-multipart]".into());
    };
    let secret = std::env::var("AWS_SECRET_ACCESS_KEY")?;
    let server = Server {
        s3: client(url, &secret, ca)?,
        changing: client(changing_url, &secret, ca)?,
        stranger: client(url, "another-secret", ca)?,
        bucket: bucket.clone(),
        is_tls: url.starts_with("https:"),
        ca: ca.clone(),
    };
    let mut results = vec![
        report("put", server.put().await),
        report("get", server.get().await),
        report("range", server.range().await),
        report("put 64 MiB", server.put_whole().await),
        report("list", server.list().await),
        report("presigned get", server.presigned_get().await),
        report("presigned put", server.presigned_put().await),
        report("delete", server.delete().await),
        report("wrong secret", server.wrong_secret().await),
        report("changed body", server.changed_body().await),
    ];
    if flags.is_empty() {
        results.push(report("multipart", server.multipart().await));
    }
    if results.contains(&false) { Err("operations failed".into()) } else { Ok(()) }
}

fn report(operation: &str, result: Fallible) -> bool {
    match &result {
        Ok(()) => println!("{operation}\tok"),
        Err(error) => {
            println!("{operation}\tFAILED");
            eprintln!("{operation}: {}", DisplayErrorContext(&**error));
        }
    }
    result.is_ok()
}

fn client(url: &str, secret: &str, ca: &str) -> Fallible<Client> {
    let trusted = TrustStore::empty().with_pem_certificate(std::fs::read(ca)?);
    let tls = TlsContext::builder().with_trust_store(trusted).build()?;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
    let id = std::env::var("AWS_ACCESS_KEY_ID")?;
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(id, secret, None, None, "arguments"))
        .endpoint_url(url)
        .force_path_style(true)
        .http_client(http)
        .region(Region::new("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .build();
    Ok(Client::from_conf(config))
}

fn expect<T: PartialEq>(got: &T, wanted: &T, what: &str) -> Fallible {
    if got == wanted { Ok(()) } else { Err(format!("{what} is not as expected").into()) }
}

/// A call that the server has to refuse with this code.
fn refused<T, E>(code: &str, result: Result<T, SdkError<E>>) -> Fallible
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match result {
        Ok(_) => Err("it was accepted".into()),
        Err(error) if error.code() == Some(code) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn data(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// A body that is read from a file is sent in chunks; bytes in memory are hashed.
async fn from_file(bytes: &[u8], name: &str) -> Fallible<(ByteStream, std::path::PathBuf)> {
    let path = std::env::temp_dir().join(format!("countersign-interop-{}-{name}", std::process::id()));
    tokio::fs::write(&path, bytes).await?;
    Ok((ByteStream::from_path(&path).await?, path))
}

impl Server {
    async fn read(&self, key: &str) -> Fallible<Vec<u8>> {
        let found = self.s3.get_object().bucket(&self.bucket).key(key).send().await?;
        Ok(found.body.collect().await?.to_vec())
    }

    async fn keys(&self) -> Fallible<Vec<String>> {
        let found = self.s3.list_objects_v2().bucket(&self.bucket).send().await?;
        Ok(found.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect())
    }

    async fn absent(&self, key: &str) -> Fallible {
        expect(&self.keys().await?.iter().any(|found| found == key), &false, "the list")
    }

    async fn put(&self) -> Fallible {
        self.s3.create_bucket().bucket(&self.bucket).send().await?;
        let put = self.s3.put_object().bucket(&self.bucket).key(KEY).metadata("note", "a  b");
        put.body(ByteStream::from_static(b"hello world")).send().await?;
        self.s3.put_object().bucket(&self.bucket).key("empty").body(ByteStream::default()).send().await?;
        let (body, path) = from_file(&data(150_000), "put").await?;
        self.s3.put_object().bucket(&self.bucket).key("stream").body(body).send().await?;
        std::fs::remove_file(path)?;
        expect(&self.read("stream").await?, &data(150_000), "the object")
    }

    async fn get(&self) -> Fallible {
        expect(&self.read(KEY).await?, &b"hello world".to_vec(), "the object")?;
        let head = self.s3.head_object().bucket(&self.bucket).key(KEY).send().await?;
        expect(&head.content_length(), &Some(11), "the length")?;
        expect(&self.read("empty").await?, &Vec::new(), "the empty object")
    }

    async fn range(&self) -> Fallible {
        let found = self.s3.get_object().bucket(&self.bucket).key(KEY).range("bytes=6-8").send().await?;
        expect(&found.body.collect().await?.to_vec(), &b"wor".to_vec(), "the range")
    }

    async fn put_whole(&self) -> Fallible {
        let whole = data(64 * MEBIBYTE);
        let (body, path) = from_file(&whole, "whole").await?;
        self.s3.put_object().bucket(&self.bucket).key("whole").body(body).send().await?;
        std::fs::remove_file(path)?;
        expect(&self.read("whole").await?, &whole, "the object")
    }

    async fn list(&self) -> Fallible {
        let wanted: Vec<String> = (0..5).map(|number| format!("list me/a+{number}")).collect();
        for key in &wanted {
            let body = ByteStream::from_static(b"x");
            self.s3.put_object().bucket(&self.bucket).key(key).body(body).send().await?;
        }
        let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix("list me/a+");
        let mut pages = list.into_paginator().page_size(2).send();
        let (mut found, mut count) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            count += 1;
            found.extend(page?.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        expect(&(found, count), &(wanted, 3), "the list")
    }

    async fn multipart(&self) -> Fallible {
        let whole = data(64 * MEBIBYTE);
        let started = self.s3.create_multipart_upload().bucket(&self.bucket).key("parts").send().await?;
        let upload = started.upload_id().ok_or("no upload id")?;
        let mut parts = Vec::new();
        for (number, part) in (1..).zip(whole.chunks(8 * MEBIBYTE)) {
            let (body, path) = from_file(part, "part").await?;
            let sent = self.s3.upload_part().bucket(&self.bucket).key("parts").upload_id(upload).part_number(number);
            let stored = sent.body(body).send().await?;
            std::fs::remove_file(path)?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(stored.e_tag().map(str::to_owned));
            parts.push(part.set_checksum_crc32(stored.checksum_crc32().map(str::to_owned)).build());
        }
        let complete = self.s3.complete_multipart_upload().bucket(&self.bucket).key("parts").upload_id(upload);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        complete.multipart_upload(parts).send().await?;
        expect(&self.read("parts").await?, &whole, "the object")
    }

    /// Sends a presigned request with curl, and returns the status and the body.
    fn curl(&self, method: &str, url: &str, body: Option<&str>) -> Fallible<(String, String)> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "30", "--cacert", &self.ca, "-X", method]);
        curl.args(["--write-out", "\n%{http_code}", url]);
        body.map(|body| curl.args(["-H", "content-type:", "--data-binary", body]));
        let output = String::from_utf8(curl.output()?.stdout)?;
        let (text, status) = output.rsplit_once('\n').ok_or("no answer")?;
        Ok((status.to_owned(), text.to_owned()))
    }

    async fn presigned_get(&self) -> Fallible {
        let valid = PresigningConfig::expires_in(Duration::from_secs(60))?;
        let signed = self.s3.get_object().bucket(&self.bucket).key(KEY).presigned(valid).await?;
        let got = self.curl("GET", signed.uri(), None)?;
        expect(&got, &("200".to_owned(), "hello world".to_owned()), "the object")?;
        // Another key with the same signature.
        let (status, _) = self.curl("GET", &signed.uri().replace("a%2Bb", "a%2Bc"), None)?;
        expect(&status.as_str(), &"403", "the status of a changed URL")
    }

    async fn presigned_put(&self) -> Fallible {
        let valid = PresigningConfig::expires_in(Duration::from_secs(60))?;
        let signed = self.s3.put_object().bucket(&self.bucket).key("given").presigned(valid).await?;
        let (status, _) = self.curl("PUT", signed.uri(), Some("through a URL"))?;
        expect(&status.as_str(), &"200", "the status")?;
        expect(&self.read("given").await?, &b"through a URL".to_vec(), "the object")
    }

    async fn delete(&self) -> Fallible {
        self.s3.delete_object().bucket(&self.bucket).key("given").send().await?;
        let objects = ["whole", "empty"].map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.into_iter().collect::<Result<Vec<_>, _>>()?;
        let delete = Delete::builder().set_objects(Some(objects)).build()?;
        self.s3.delete_objects().bucket(&self.bucket).delete(delete).send().await?;
        for key in ["given", "whole", "empty"] {
            self.absent(key).await?;
        }
        Ok(())
    }

    async fn wrong_secret(&self) -> Fallible {
        let code = "SignatureDoesNotMatch";
        let put = self.stranger.put_object().bucket(&self.bucket).key("stranger").body(ByteStream::from_static(b"x"));
        refused(code, put.send().await)?;
        refused(code, self.stranger.list_objects_v2().bucket(&self.bucket).send().await)?;
        self.absent("stranger").await
    }

    async fn changed_body(&self) -> Fallible {
        let put = || self.changing.put_object().bucket(&self.bucket).key("changed");
        // Over TLS, the SDK signs no chunks, but sends a checksum in a trailer.
        let in_chunks = if self.is_tls { "BadDigest" } else { "SignatureDoesNotMatch" };
        for count in [10_000, 3 * MEBIBYTE] {
            refused("XAmzContentSHA256Mismatch", put().body(data(count).into()).send().await)?;
            self.absent("changed").await?;
        }
        let (body, path) = from_file(&data(100_000), "changed").await?;
        let sent = put().body(body).send().await;
        std::fs::remove_file(path)?;
        refused(in_chunks, sent)?;
        self.absent("changed").await
    }
}
