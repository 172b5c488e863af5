//! A small client for S3 and compatible stores. Nothing is ever in memory as a whole.
//!
//! ```text
//! cargo run --release --manifest-path examples/s3/Cargo.toml -- --endpoint URL --bucket NAME list
//! ```

mod credentials;
mod store;
mod xml;

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use store::{Store, Where};

type Fallible<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: s3 --endpoint URL --bucket NAME [OPTION...] COMMAND

put FILE KEY                 uploads a file in chunks with a checksum
multipart FILE KEY [MIB]     uploads a file in parts of 8 MiB, or of MIB
get KEY [FIRST-LAST]         writes an object, or a range of its bytes, to the standard output
list [PREFIX]                prints sizes and keys
presign GET|PUT KEY          prints a URL that is valid for an hour
delete KEY                   deletes an object

--region REGION   the region, `auto` if none is given; AWS needs one
--virtual-host    puts the bucket into the host name, as AWS does
--no-trailer      signs every chunk and sends no checksum, for stores that don't know trailers, such as rclone
--plain-keys      lists keys as they are, for stores that say they encode them and don't, such as s3s-fs

Credentials are found where AWS's tools keep them.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((place, command)) = parsed(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(place, &command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn parsed(arguments: &[String]) -> Option<(Where, Vec<&str>)> {
    let mut place = Where { region: "auto".into(), ..Where::default() };
    let mut arguments = arguments.iter().map(String::as_str);
    let command = loop {
        match arguments.next()? {
            "--endpoint" => place.endpoint = arguments.next()?.into(),
            "--bucket" => place.bucket = arguments.next()?.into(),
            "--region" => place.region = arguments.next()?.into(),
            "--virtual-host" => place.virtual_host = true,
            "--no-trailer" => place.no_trailer = true,
            "--plain-keys" => place.plain_keys = true,
            option if option.starts_with("--") => return None,
            command => break command,
        }
    };
    let is_complete = !place.endpoint.is_empty() && !place.bucket.is_empty();
    is_complete.then(|| (place, [command].into_iter().chain(arguments).collect()))
}

/// Returns `false` if there is no such command.
fn run(place: Where, command: &[&str]) -> Fallible<bool> {
    let store = || Store::new(&place, credentials::find()?);
    match *command {
        ["put", file, key] => put(&store()?, file, key)?,
        ["multipart", file, key] => multipart(&store()?, file, key, 8)?,
        ["multipart", file, key, mebibytes] => multipart(&store()?, file, key, mebibytes.parse()?)?,
        ["get", key] => get(&store()?, key, None)?,
        ["get", key, range] => get(&store()?, key, Some(range))?,
        ["list"] => list(&store()?, "", place.plain_keys)?,
        ["list", prefix] => list(&store()?, prefix, place.plain_keys)?,
        ["presign", method @ ("GET" | "PUT"), key] => {
            println!("{}", store()?.presign(method, key, Duration::from_secs(3600))?)
        }
        ["delete", key] => drop(store()?.call("DELETE", key, &[], &[], b"")?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Opens a file, with its length and a progress bar, which is shown at a terminal.
fn opened(file: &str) -> Fallible<(File, u64, ProgressBar)> {
    let file = File::open(file).map_err(|error| format!("{file}: {error}"))?;
    let length = file.metadata()?.len();
    Ok((file, length, ProgressBar::new(length)))
}

fn put(store: &Store, file: &str, key: &str) -> Fallible<()> {
    let (file, length, bar) = opened(file)?;
    store.upload(key, &[], length, &mut bar.wrap_read(file))?;
    bar.finish();
    Ok(())
}

/// Uploads the parts one after the other. After a failure, the parts are deleted: a store charges for them.
fn multipart(store: &Store, file: &str, key: &str, mebibytes: u64) -> Fallible<()> {
    let (file, length, bar) = opened(file)?;
    // AWS: at least 5 MiB but for the last, at most 5 GiB, and at most 10,000 parts.
    if !(5..=5120).contains(&mebibytes) || length > 10_000 * (mebibytes << 20) {
        return Err("a part has 5 MiB to 5 GiB, and a file at most 10,000 parts".into());
    }
    let upload = xml::upload_id(&store.text("POST", key, &[("uploads", "")], store.checksum_algorithm(), b"")?)?;
    let result = parts(store, &mut bar.wrap_read(file), length, mebibytes << 20, key, &upload);
    if let Err(error) = result {
        let aborted = store.call("DELETE", key, &[("uploadId", &upload)], &[], b"");
        let rest = aborted.err().map_or(String::new(), |error| format!("\nUpload {upload} is not aborted: {error}"));
        return Err(format!("{error}{rest}").into());
    }
    bar.finish();
    Ok(())
}

fn parts(store: &Store, file: &mut dyn Read, length: u64, size: u64, key: &str, upload: &str) -> Fallible<()> {
    let mut parts = Vec::new();
    // An empty file has one part, too.
    for number in 1..=length.div_ceil(size).max(1) {
        let part = size.min(length - (number - 1) * size);
        let query = [("partNumber", &*number.to_string()), ("uploadId", upload)];
        let stored = store.upload(key, &query, part, &mut (&mut *file).take(part))?;
        let header = |name| stored.get(name).and_then(|value| value.to_str().ok()).map(String::from);
        let etag = header("etag").ok_or(format!("the store gave no ETag for part {number}"))?;
        parts.push(xml::Part { number, etag, crc32c: header("x-amz-checksum-crc32c") });
    }
    let answer = store.text("POST", key, &[("uploadId", upload)], &[], xml::complete(parts)?.as_bytes())?;
    // A store may begin to answer before it knows, and then say 200 with an error.
    xml::error(&answer).map_or(Ok(()), |error| Err(error.into()))
}

fn get(store: &Store, key: &str, range: Option<&str>) -> Fallible<()> {
    let bytes = range.map(|range| format!("bytes={range}"));
    let headers: Vec<_> = bytes.iter().map(|range| ("range", &**range)).collect();
    let response = store.call("GET", key, &[], &headers, b"")?;
    // Not the status: rclone answers 200 with the range.
    if range.is_some() && !response.headers().contains_key("content-range") {
        return Err("the store ignored the range".into());
    }
    let mut output = io::stdout().lock();
    io::copy(&mut response.into_body().into_reader(), &mut output)?;
    Ok(output.flush()?)
}

fn list(store: &Store, prefix: &str, plain_keys: bool) -> Fallible<()> {
    let mut token = None::<String>;
    loop {
        let mut query = vec![("list-type", "2"), ("prefix", prefix)];
        if !plain_keys {
            // XML can't hold every character that a key may have.
            query.push(("encoding-type", "url"));
        }
        query.extend(token.as_deref().map(|token| ("continuation-token", token)));
        let page = xml::page(&store.text("GET", "", &query, &[], b"")?)?;
        let mut output = io::stdout().lock();
        for object in &page.objects {
            writeln!(output, "{:>12} {}", object.size, object.key)?;
        }
        match page.next {
            None => return Ok(()),
            next if next == token => return Err("the store answers with the same page again".into()),
            next => token = next,
        }
    }
}
