//! Commands of this machine.

use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::time::Duration;
use std::io::{ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use zeroize::Zeroizing;

use crate::sources::ask::{Ask, AskError, AskErrorKind, CommandAsk, CommandOutput};

/// The most of standard error that is kept: one byte more than is read, so that a word that was cut off can be told.
const MOST_STDERR: usize = (8 << 10) + 1;

/// How often it is checked whether a command is over.
const PAUSE: Duration = Duration::from_millis(5);

/// How long the output of a command that has ended may stay open. A process that it started may hold it open for as long
/// as that runs, e.g. an agent.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a command until it ends, prints too much, or the time is over.
pub(super) fn run(ask: &CommandAsk) -> Result<CommandOutput, AskError> {
    let deadline = Instant::now() + ask.timeout;
    let mut command = Command::new(&ask.program);
    command.args(&ask.arguments).envs(ask.variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn()?);
    let stdout = Stream::read(running.0.stdout.take(), Ask::MAX_OUTPUT_BYTES + 1, false)?;
    let stderr = Stream::read(running.0.stderr.take(), MOST_STDERR, true)?;
    let mut ended = None;
    loop {
        if stdout.length() > Ask::MAX_OUTPUT_BYTES {
            return Err(floods());
        }
        let are_over = stdout.is_over() && stderr.is_over();
        if ended.is_none() {
            ended = running.0.try_wait()?.map(|status| (status, Instant::now()));
        }
        match ended {
            Some((status, since)) if are_over || is_enough(status, since, &stdout) => {
                let (success, code) = (status.success(), status.code());
                return Ok(CommandOutput { success, code, stdout: stdout.take(), stderr: stderr.take() });
            }
            _ if Instant::now() >= deadline => return Err(timed_out(ask)),
            _ => std::thread::sleep(PAUSE),
        }
    }
}

/// Whether a command that has ended has said all that it is going to say, although its output is open.
fn is_enough(status: ExitStatus, since: Instant, stdout: &Stream) -> bool {
    since.elapsed() >= GRACE && (!status.success() || stdout.length() > 0)
}

/// The first bytes of a stream, which is read on a thread of its own.
struct Stream(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    is_over: bool,
}

impl Stream {
    /// Further bytes are dropped, or end the reading. When nobody is interested in the stream any more, it is closed
    /// before the next byte is read, so that a process that goes on writing ends, and the thread with it.
    fn read(stream: Option<impl Read + Send + 'static>, most: usize, drops_more: bool) -> Result<Self, AskError> {
        let kept = Kept { bytes: Zeroizing::new(Vec::with_capacity(most)), is_over: stream.is_none() };
        let kept = Arc::new(Mutex::new(kept));
        let Some(mut stream) = stream else { return Ok(Self(kept)) };
        let theirs = Arc::downgrade(&kept);
        let work = move || while read_more(&mut stream, &theirs, most, drops_more).is_some() {};
        std::thread::Builder::new().name("countersign".into()).spawn(work)?;
        Ok(Self(kept))
    }

    fn length(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes.len()
    }

    fn is_over(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_over
    }

    fn take(&self) -> Zeroizing<Vec<u8>> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }
}

/// Returns `None` if nothing more is read.
fn read_more(stream: &mut impl Read, kept: &Weak<Mutex<Kept>>, most: usize, drops_more: bool) -> Option<()> {
    let mut buffer = Zeroizing::new([0; 4 << 10]);
    let read = match stream.read(&mut *buffer) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return Some(()),
        read => read.unwrap_or_default(),
    };
    let kept = kept.upgrade()?;
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let room = most - kept.bytes.len();
    kept.bytes.extend_from_slice(buffer.get(..read.min(room))?);
    kept.is_over = read == 0 || !drops_more && kept.bytes.len() == most;
    (!kept.is_over).then_some(())
}

/// A command that is killed when it isn't waited for to its end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn timed_out(ask: &CommandAsk) -> AskError {
    AskError::new(AskErrorKind::TimedOut, format!("it was still running after {:?}", ask.timeout))
}

fn floods() -> AskError {
    let limit = Ask::MAX_OUTPUT_BYTES >> 10;
    AskError::new(AskErrorKind::TooLarge, format!("it printed more than {limit} KiB"))
}
