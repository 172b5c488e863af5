//! Reads the keys again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use super::file::{load, sources};
use super::{CurrentKeys, Keys};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::serve::metrics::Metrics;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How long reading them takes at most.
const LONGEST: Duration = Duration::from_secs(10);

/// What shows that a file was changed or replaced.
type State = Vec<Option<(SystemTime, u64, u64)>>;

/// Runs until it is dropped. `hang_up` is notified by SIGHUP. A file with a mistake is reported, and the old keys stay.
pub async fn watch(path: PathBuf, keys: CurrentKeys, metrics: Arc<Metrics>, hang_up: Arc<Notify>) {
    let mut files = sources(&path, &keys.get());
    let mut seen = state(&files);
    loop {
        let is_asked = tokio::select! {
            () = tokio::time::sleep(EVERY) => false,
            () = hang_up.notified() => true,
        };
        let now = state(&files);
        if now == seen && !is_asked {
            continue;
        }
        // The state from before reading: a change while it is read is seen the next time.
        seen = now;
        if let Some(read) = reload(&path, &metrics).await {
            let named = sources(&path, &read);
            keys.replace(read);
            if named != files {
                // They are read once more, as they may have changed before anyone looked.
                files = named;
                seen = Vec::new();
            }
        }
    }
}

async fn reload(path: &Path, metrics: &Metrics) -> Option<Keys> {
    let owned = path.to_owned();
    let loading = tokio::task::spawn_blocking(move || load(&owned));
    // A pipe that nobody writes to doesn't end, nor does a server of files that is gone.
    let loaded = match tokio::time::timeout(LONGEST, loading).await {
        Ok(loaded) => loaded.ok()?,
        Err(_) => Err(Failure::new(Kind::Read, format!("{}: it can't be read in time", path.display()))),
    };
    metrics.reloaded(loaded.is_ok());
    match loaded {
        Ok(keys) => {
            Output::new().note(&format!("{}: {} keys read again", path.display(), keys.len()));
            Some(keys)
        }
        Err(failure) => {
            Output::new().warning(&format!("the old keys stay: {failure}"));
            None
        }
    }
}

fn state(files: &[PathBuf]) -> State {
    files.iter().map(|file| std::fs::metadata(file).ok().map(|data| identity(&data))).collect()
}

fn identity(data: &std::fs::Metadata) -> (SystemTime, u64, u64) {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(data);
    #[cfg(not(unix))]
    let number = 0;
    (data.modified().unwrap_or(SystemTime::UNIX_EPOCH), data.len(), number)
}
