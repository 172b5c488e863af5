//! Files of this machine.

use alloc::format;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::sources::ask::{Ask, AskError, AskErrorKind};

/// Reads a whole file, or returns `None` if it doesn't exist.
pub(super) fn read(path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, AskError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let length = file.metadata()?.len();
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
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // A cache that is a symbolic link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| Path::new(path).into());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unique = format!(".{name}.{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let temporary = path.with_file_name(unique);
    let written = write_new(&temporary, contents).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    Ok(written?)
}

fn write_new(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}
