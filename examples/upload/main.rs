//! Uploads a file in signed chunks, and through a browser form, over real HTTP on loopback. Neither side ever buffers
//! more than one chunk.
//!
//! ```text
//! cargo run --release --example upload
//! cargo run --release --example upload -- FILE
//! cargo run --release --example upload -- --serve
//! ```

mod browser;
mod client;
mod server;

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use countersign::Credentials;
use sha2::{Digest, Sha256};

const USAGE: &str = "\
usage: upload            upload 64 MiB of generated data
       upload FILE       upload a file
       upload --serve    serve the page with the form until stopped";
const MEBIBYTE: u64 = 1 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => run(None),
        [option] if option == "--serve" => serve(),
        [option] if option == "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        [file] if !file.starts_with('-') => run(Some(file.as_ref())),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn credentials() -> Result<Credentials, countersign::CredentialsError> {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn serve() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let address = server::start(folder.0.clone(), credentials()?)?;
    println!("Open http://{address}/ in a browser. Uploads are stored in {}.", folder.0.display());
    loop {
        std::thread::park();
    }
}

fn run(file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let file = match file {
        Some(file) => file.into(),
        None => made_up(&folder.0)?,
    };
    let address = server::start(folder.0.clone(), credentials()?)?;
    println!("A store that accepts signed uploads is listening on http://{address}.\n");
    let client = client::Client::new(address, credentials()?)?;
    let before = peak_memory();

    println!("1. Signed chunks, with a CRC-32C of the whole file in the trailer");
    let answer = client.upload(&file, "signed", client::How::Signed)?;
    expect(&answer, 200)?;
    expect_same(&file, &folder.0.join("signed"))?;

    println!("2. Unsigned chunks, as clients send over TLS: only the checksum protects the data");
    let answer = client.upload(&file, "unsigned", client::How::Unsigned)?;
    expect(&answer, 200)?;
    expect_same(&file, &folder.0.join("unsigned"))?;

    println!("3. One byte changed in transit");
    let answer = client.upload(&file, "changed", client::How::Changed)?;
    // In a small file, it may be a byte of a chunk header instead of data.
    expect(&answer, if answer.status == 400 { 400 } else { 403 })?;
    if folder.0.join("changed").exists() {
        return Err("a broken upload was stored".into());
    }

    println!("4. Browser form");
    let photo = vec![0x5a; 100_000];
    expect(&client.post_form("photo.jpg", &photo)?, 201)?;
    if std::fs::read(folder.0.join("photo.jpg"))? != photo {
        return Err("the stored file differs from the sent one".into());
    }

    println!("5. Browser form with a file larger than its policy allows");
    expect(&client.post_form("large.jpg", &vec![0; browser::MOST as usize + 1])?, 400)?;
    if folder.0.join("large.jpg").exists() {
        return Err("a refused upload was stored".into());
    }
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        println!("Peak memory of client and server: {before} MiB before the first upload, {after} MiB after the last.");
    }
    println!("All uploads were answered as expected.");
    Ok(())
}

fn expect(answer: &client::Answer, status: u16) -> Result<(), Box<dyn Error>> {
    println!("   < {} {}\n", answer.status, answer.body);
    if answer.status == status { Ok(()) } else { Err(format!("expected status {status}").into()) }
}

fn expect_same(sent: &Path, stored: &Path) -> Result<(), Box<dyn Error>> {
    if sha256(sent)? == sha256(stored)? { Ok(()) } else { Err("the stored file differs from the sent one".into()) }
}

fn sha256(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut hash = Sha256::new();
    let mut file = std::fs::File::open(file)?;
    let mut buffer = vec![0; 65_536];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hash.finalize().to_vec()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Creates a file of 64 MiB.
fn made_up(folder: &Path) -> std::io::Result<PathBuf> {
    let path = folder.join("made-up");
    let mut file = BufWriter::new(std::fs::File::create(&path)?);
    for number in 0..64 * MEBIBYTE / 8 {
        file.write_all(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())?;
    }
    file.flush()?;
    Ok(path)
}

/// Returns the peak memory of this process in MiB, if the system reports it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?;
    Some(kib.parse::<u64>().ok()?.div_ceil(1024))
}

/// A folder that is removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("countersign-upload-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
