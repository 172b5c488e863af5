//! Files of this machine.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::time::Duration;
use std::fs::{self, File, OpenOptions};
use std::hash::RandomState;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::mpsc;

use zeroize::Zeroizing;

use crate::sources::ask::{Ask, AskError, AskErrorKind};

/// How long a pipe or a device is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

type Contents = Option<Zeroizing<Vec<u8>>>;

/// Reads a whole file, or returns `None` if it doesn't exist.
pub(super) fn read(path: &str) -> Result<Contents, AskError> {
    let is_special = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    if fs::metadata(path).is_ok_and(is_special) { read_special(path) } else { read_all(path) }
}

/// Reads a pipe, e.g. `<(command)` of a shell, or a device. Opening and reading it may block without end.
fn read_special(path: &str) -> Result<Contents, AskError> {
    let (sender, received) = mpsc::channel();
    let theirs = path.to_owned();
    let read = move || drop(sender.send(read_all(&theirs)));
    std::thread::Builder::new().name("countersign-fs".into()).spawn(read)?;
    let silent = |_| {
        release(path);
        let seconds = PATIENCE.as_secs();
        AskError::new(
            AskErrorKind::TimedOut,
            format!("it is a pipe or a device, and did not end within {seconds} seconds"),
        )
    };
    received.recv_timeout(PATIENCE).map_err(silent)?
}

/// Ends the wait of a thread for the writer of a pipe, by being one for a moment. Opened for both, a pipe never blocks.
fn release(path: &str) {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())) {
        let _ = OpenOptions::new().read(true).write(true).open(path);
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn read_all(path: &str) -> Result<Contents, AskError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    let length = if metadata.is_file() { metadata.len() } else { Ask::MAX_FILE_BYTES as u64 };
    if length > Ask::MAX_FILE_BYTES as u64 {
        return Err(too_large());
    }
    // A buffer that grows would leave copies of secrets behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    file.take(Ask::MAX_FILE_BYTES as u64 + 1).read_to_end(&mut contents)?;
    if contents.len() > Ask::MAX_FILE_BYTES { Err(too_large()) } else { Ok(Some(contents)) }
}

fn too_large() -> AskError {
    AskError::new(AskErrorKind::TooLarge, format!("it is larger than {} KiB", Ask::MAX_FILE_BYTES >> 10))
}

/// Replaces a file in one step, by a file that only this user can read.
pub(super) fn write(path: &str, contents: &[u8]) -> Result<(), AskError> {
    // A cache that is a symbolic link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| Path::new(path).into());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Random, since programs in different containers may share the directory and have the same process id.
    let unique = RandomState::new().hash_one(std::process::id());
    let temporary = path.with_file_name(format!(".{name}.{unique:016x}.tmp"));
    let file = create(&temporary)?;
    let written = fill(file, contents).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    Ok(written?)
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn fill(mut file: File, contents: &[u8]) -> std::io::Result<()> {
    file.write_all(contents)?;
    file.sync_all()
}
