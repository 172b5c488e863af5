//! The progress bar of an upload, at a terminal.

use std::io::{self, Read};

use indicatif::{ProgressBar, ProgressStyle};

use super::Session;

/// A smaller body is sent before the bar can be read.
const LARGE: u64 = 1024 * 1024;

pub struct Progress(Option<ProgressBar>);

impl Progress {
    pub fn new(session: &Session<'_>, length: u64) -> Self {
        let wanted = length >= LARGE && session.output.is_err_terminal() && !session.args.show.silent;
        Self(wanted.then(|| {
            let bar = ProgressBar::new(length);
            let style = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar
        }))
    }

    pub fn wrap(&self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        match &self.0 {
            Some(bar) => Box::new(Counting { reader, bar: bar.clone() }),
            None => reader,
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

struct Counting {
    reader: Box<dyn Read + Send>,
    bar: ProgressBar,
}

impl Read for Counting {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(to)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}
