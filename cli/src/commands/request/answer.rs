//! Writing the answer.

use std::fs::File;
use std::io::{self, IsTerminal, Write};

use super::Session;
use crate::failure::{Failure, Kind};
use crate::http::Answer;
use crate::output::write_failure;

/// How much of a refusal is read to explain it.
const READ_AHEAD: usize = 1024 * 1024;

/// The beginning of a body that was read before it is written.
#[derive(Default)]
pub struct Received {
    ahead: Vec<u8>,
    is_complete: bool,
    /// Why the rest of the body is missing.
    broken: Option<Failure>,
}

impl Received {
    /// Reads the beginning. If the connection breaks, what has arrived is kept.
    pub fn read_ahead(&mut self, answer: &mut Answer<'_>) {
        while self.ahead.len() < READ_AHEAD && !self.is_complete {
            match answer.next() {
                Ok(Some(data)) => self.ahead.extend_from_slice(&data),
                Ok(None) => self.is_complete = true,
                Err(failure) => (self.broken, self.is_complete) = (Some(failure), true),
            }
        }
    }

    /// An error if the body broke off in what was read ahead.
    pub fn check(self) -> Result<(), Failure> {
        self.broken.map_or(Ok(()), Err)
    }

    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }
}

/// Writes the head, if asked for, and the body. Returns the size of the body.
pub fn write(session: &Session<'_>, answer: &mut Answer<'_>, received: &mut Received) -> Result<u64, Failure> {
    let args = session.args;
    if args.show.fail && args.show.fails(answer.status().as_u16()) {
        return Ok(received.ahead.len() as u64);
    }
    let mut sink = Sink::open(args.show.output.as_deref())?;
    if args.show.include || args.act.head {
        sink.write(&head(answer), false)?;
    }
    let ahead = std::mem::take(&mut received.ahead);
    let mut size = ahead.len() as u64;
    sink.write(&ahead, true)?;
    while !received.is_complete {
        match answer.next()? {
            Some(data) => {
                size += data.len() as u64;
                sink.write(&data, true)?;
            }
            None => received.is_complete = true,
        }
    }
    sink.close().map(|()| size)
}

fn head(answer: &Answer<'_>) -> Vec<u8> {
    let mut head = format!("{:?} {}\r\n", answer.version(), answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Where the answer goes.
struct Sink {
    writer: Box<dyn Write>,
    is_terminal: bool,
}

impl Sink {
    fn open(file: Option<&std::path::Path>) -> Result<Self, Failure> {
        match file {
            Some(file) if file.as_os_str() != "-" => {
                let file = File::create(file).map_err(|error| {
                    Failure::new(Kind::Write, format!("{} can't be written: {error}", file.display()))
                })?;
                Ok(Self { writer: Box::new(io::BufWriter::new(file)), is_terminal: false })
            }
            // -o - is an explicit wish for whatever comes.
            named => {
                let is_terminal = named.is_none() && io::stdout().is_terminal();
                Ok(Self { writer: Box::new(io::stdout().lock()), is_terminal })
            }
        }
    }

    fn write(&mut self, data: &[u8], is_body: bool) -> Result<(), Failure> {
        if self.is_terminal && is_body && data.contains(&0) {
            return Err(Failure::new(
                Kind::Write,
                "the answer is binary and would confuse the terminal; write it to a file with -o FILE, or use -o -",
            ));
        }
        self.writer.write_all(data).map_err(write_failure)
    }

    fn close(mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(write_failure)
    }
}
