//! Commands of this machine.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use zeroize::Zeroizing;

use crate::sources::ask::{Ask, AskError, AskErrorKind, CommandAsk, CommandOutput};

/// The most of standard error that is kept.
const MOST_STDERR: usize = 4 << 10;

/// How often it is checked whether a command that has closed its output is over.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs a command until it ends, prints too much, or the time is over.
pub(super) fn run(ask: &CommandAsk) -> Result<CommandOutput, AskError> {
    let deadline = Instant::now() + ask.timeout;
    let mut command = Command::new(&ask.program);
    command.args(&ask.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn()?);
    let (sender, received) = mpsc::channel();
    let (stdout, stderr) = (running.0.stdout.take(), running.0.stderr.take());
    keep(stdout, Ask::MAX_OUTPUT_BYTES + 1, true, sender.clone());
    keep(stderr, MOST_STDERR, false, sender);
    let (mut stdout, mut stderr) = (Zeroizing::default(), Zeroizing::default());
    for _ in 0..2 {
        let (is_stdout, bytes) =
            received.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|_| timed_out(ask))?;
        match is_stdout {
            true if bytes.len() > Ask::MAX_OUTPUT_BYTES => return Err(floods()),
            true => stdout = bytes,
            false => stderr = bytes,
        }
    }
    let status = running.wait(deadline)?.ok_or_else(|| timed_out(ask))?;
    Ok(CommandOutput { success: status.success(), code: status.code(), stdout, stderr })
}

/// Reads the first bytes of a stream on a thread of its own, and sends them when the stream ends. Further bytes are
/// dropped or, of standard output, end the reading.
fn keep(
    stream: Option<impl Read + Send + 'static>,
    most: usize,
    is_stdout: bool,
    sender: mpsc::Sender<(bool, Zeroizing<Vec<u8>>)>,
) {
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(most));
        if let Some(mut stream) = stream {
            let _ = stream.by_ref().take(most as u64).read_to_end(&mut bytes);
            if !is_stdout {
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
        }
        let _ = sender.send((is_stdout, bytes));
    });
}

/// A command that is killed when it isn't waited for to its end.
struct Running(Child);

impl Running {
    fn wait(&mut self, deadline: Instant) -> Result<Option<ExitStatus>, AskError> {
        loop {
            match self.0.try_wait()? {
                Some(status) => return Ok(Some(status)),
                None if Instant::now() >= deadline => return Ok(None),
                None => std::thread::sleep(PAUSE),
            }
        }
    }
}

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
