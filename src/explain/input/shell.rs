//! Splits a command line into words, as a POSIX shell or the Windows command prompt does. Nothing is run or expanded.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{InputError, MAX_WORDS};
use crate::text::wiped::Wiped;

/// A word without its quotation marks.
pub(super) struct Word {
    pub(super) text: Zeroizing<Vec<u8>>,
    /// Where the first variable or command substitution starts; its value is unknown.
    pub(super) unknown_from: Option<usize>,
}

/// The words after `curl` in the first command that runs it.
pub(super) fn words_of_curl(text: &str) -> Result<Vec<Word>, InputError> {
    let is_for_windows = ["^\n", "^\r\n", "^\""].iter().any(|mark| text.contains(mark));
    if is_for_windows {
        let unescaped = without_carets(text);
        return curl_of(windows_words(&unescaped)?).ok_or(InputError::NotCurl);
    }
    let mut lexer = Lexer { rest: text.as_bytes(), word: None };
    loop {
        let (words, is_end) = lexer.command()?;
        match curl_of(words) {
            Some(words) => return Ok(words),
            None if is_end => return Err(InputError::NotCurl),
            None => {}
        }
    }
}

fn curl_of(mut words: Vec<Word>) -> Option<Vec<Word>> {
    let is_curl = |word: &Word| {
        let name = word.text.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"curl") || name.eq_ignore_ascii_case(b"curl.exe")
    };
    let position = words.iter().position(is_curl)?;
    Some(words.split_off(position + 1))
}

fn check_count(words: &[Word]) -> Result<(), InputError> {
    if words.len() > MAX_WORDS { Err(InputError::TooManyWords { limit: MAX_WORDS }) } else { Ok(()) }
}

struct Lexer<'t> {
    rest: &'t [u8],
    word: Option<Open>,
}

/// A word that is being read.
struct Open {
    text: Wiped<Vec<u8>>,
    unknown_from: Option<usize>,
}

impl Lexer<'_> {
    /// The words up to the end of a simple command, and whether it is the last.
    fn command(&mut self) -> Result<(Vec<Word>, bool), InputError> {
        let mut words = Vec::new();
        let mut is_redirected = false;
        loop {
            // `2>&1`, `&>file`
            let redirects = matches!(self.rest, [b'&', b'>', ..] | [b'>' | b'<', ..]);
            let (ends_word, ends_command) = match self.rest {
                _ if redirects => (self.redirection(), false),
                [] => (true, true),
                [b'\\', b'\n', ..] | [b'\\', b'\r', b'\n', ..] | [b'`', b'\n', ..] | [b'`', b'\r', b'\n', ..] => {
                    self.continue_line();
                    (false, false)
                }
                [b' ' | b'\t' | b'\r', ..] => (self.skip(1), false),
                [b'\n' | b';' | b'|' | b'(' | b')', ..] => (self.skip(1), true),
                [b'&', ..] => (self.skip(1), true),
                [b'#', ..] if self.word.is_none() => (self.skip(self.line_length()), false),
                _ => {
                    self.piece()?;
                    (false, false)
                }
            };
            if ends_word && let Some(word) = self.word.take() {
                // The word after a redirection is a file name.
                if !core::mem::take(&mut is_redirected) {
                    words.push(word.closed());
                }
                check_count(&words)?;
            }
            is_redirected |= redirects;
            if ends_command {
                return Ok((words, self.rest.is_empty()));
            }
        }
    }

    fn skip(&mut self, length: usize) -> bool {
        self.rest = self.rest.get(length..).unwrap_or_default();
        true
    }

    fn line_length(&self) -> usize {
        self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len())
    }

    /// Skips an escaped line end, and a copied continuation prompt (`> `).
    fn continue_line(&mut self) {
        self.skip(self.line_length() + 1);
        if self.word.is_none() && self.rest.starts_with(b"> ") {
            self.skip(2);
        }
    }

    /// Skips `>`, `>>`, `<` or `2>&`; a digit before it belongs to it.
    fn redirection(&mut self) -> bool {
        if self.word.as_ref().is_some_and(|word| word.text.len() == 1 && word.text.iter().all(u8::is_ascii_digit)) {
            self.word = None;
        }
        let length = self.rest.iter().take_while(|byte| matches!(byte, b'>' | b'<' | b'&')).count();
        self.skip(length)
    }

    fn push(&mut self, byte: u8) {
        let word = self.word.get_or_insert_with(Open::new);
        word.text.reserve(1);
        word.text.push(byte);
    }

    fn push_char(&mut self, c: char) {
        c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.push(byte));
    }

    /// Reads one character, or one quoted part.
    fn piece(&mut self) -> Result<(), InputError> {
        match self.rest {
            [b'\\', byte, ..] => {
                self.push(*byte);
                self.skip(2);
            }
            [b'\'', ..] => self.single_quoted()?,
            [b'"', ..] => self.double_quoted()?,
            [b'$', b'\'', ..] => self.ansi_quoted()?,
            [b'$', b'"', ..] => {
                self.skip(1);
                self.double_quoted()?;
            }
            [b'$' | b'`', ..] => self.variable()?,
            [byte, ..] => {
                self.push(*byte);
                self.skip(1);
            }
            [] => {}
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<(), InputError> {
        self.word.get_or_insert_with(Open::new);
        self.skip(1);
        let length = self.rest.iter().position(|byte| *byte == b'\'').ok_or(InputError::UnclosedQuote)?;
        let quoted = self.rest.get(..length).unwrap_or_default();
        let word = self.word.get_or_insert_with(Open::new);
        word.text.reserve(length);
        word.text.extend_from_slice(quoted);
        self.skip(length + 1);
        Ok(())
    }

    fn double_quoted(&mut self) -> Result<(), InputError> {
        self.word.get_or_insert_with(Open::new);
        self.skip(1);
        loop {
            match self.rest {
                [] => return Err(InputError::UnclosedQuote),
                [b'"', ..] => {
                    self.skip(1);
                    return Ok(());
                }
                [b'\\', b'\n', ..] => {
                    self.skip(2);
                }
                [b'\\', byte @ (b'"' | b'\\' | b'$' | b'`'), ..] => {
                    self.push(*byte);
                    self.skip(2);
                }
                [b'$' | b'`', ..] => self.variable()?,
                [byte, ..] => {
                    self.push(*byte);
                    self.skip(1);
                }
            }
        }
    }

    /// `$'…'`, which browsers write.
    fn ansi_quoted(&mut self) -> Result<(), InputError> {
        self.word.get_or_insert_with(Open::new);
        self.skip(2);
        loop {
            match self.rest {
                [] => return Err(InputError::UnclosedQuote),
                [b'\'', ..] => {
                    self.skip(1);
                    return Ok(());
                }
                [b'\\', escape, ..] => {
                    let escape = *escape;
                    self.skip(2);
                    self.ansi_escape(escape);
                }
                [byte, ..] => {
                    self.push(*byte);
                    self.skip(1);
                }
            }
        }
    }

    fn ansi_escape(&mut self, escape: u8) {
        let byte = match escape {
            b'a' => 7,
            b'b' => 8,
            b'e' | b'E' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'x' => u8::try_from(self.digits(16, 2) & 255).unwrap_or_default(),
            b'u' | b'U' => {
                let number = self.digits(16, if escape == b'u' { 4 } else { 8 });
                self.push_char(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
                return;
            }
            b'0'..=b'7' => {
                let number = u32::from(escape - b'0');
                let more = self.rest.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let rest = self.digits(8, more);
                u8::try_from((number << (3 * more) | rest) & 255).unwrap_or_default()
            }
            other => other,
        };
        self.push(byte);
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let mut number = 0_u32;
        for _ in 0..most {
            let Some(digit) = self.rest.first().and_then(|byte| char::from(*byte).to_digit(radix)) else { break };
            number = number.wrapping_mul(radix).wrapping_add(digit);
            self.skip(1);
        }
        number
    }

    /// Copies `$NAME`, `${…}`, `$(…)` or `` `…` `` unchanged and marks it as unknown. Any other `$` is literal.
    fn variable(&mut self) -> Result<(), InputError> {
        let length = match self.rest {
            [b'$', b'{', ..] => self.up_to(b'{', b'}')?,
            [b'$', b'(', ..] => self.up_to(b'(', b')')?,
            [b'`', rest @ ..] => 2 + rest.iter().position(|byte| *byte == b'`').ok_or(InputError::UnclosedQuote)?,
            [_, b'0'..=b'9' | b'?' | b'@' | b'*' | b'#' | b'$' | b'!' | b'-', ..] => 2,
            [_, rest @ ..] => 1 + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count(),
            [] => 0,
        };
        let copied = self.rest.get(..length).unwrap_or_default();
        let word = self.word.get_or_insert_with(Open::new);
        if length > 1 && word.unknown_from.is_none() {
            word.unknown_from = Some(word.text.len());
        }
        word.text.reserve(length);
        word.text.extend_from_slice(copied);
        self.skip(length);
        Ok(())
    }

    fn up_to(&self, open: u8, close: u8) -> Result<usize, InputError> {
        let mut depth = 0_usize;
        for (position, byte) in self.rest.iter().enumerate() {
            if *byte == open {
                depth += 1;
            } else if *byte == close {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(position + 1);
                }
            }
        }
        Err(InputError::UnclosedQuote)
    }
}

impl Open {
    fn new() -> Self {
        Self { text: Wiped::new(Vec::new(), true), unknown_from: None }
    }

    fn closed(self) -> Word {
        Word { text: Zeroizing::new(self.text.into_inner()), unknown_from: self.unknown_from }
    }
}

/// Removes the escapes of the Windows command prompt: outside quotes, a caret escapes the next character.
fn without_carets(text: &str) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut rest, mut is_quoted) = (text.as_bytes(), false);
    loop {
        rest = match rest {
            [] => return out,
            // After an escaped line end, the next one is literal.
            [b'^', b'\r', b'\n', b'\r', b'\n', after @ ..] | [b'^', b'\n', b'\n', after @ ..] if !is_quoted => {
                out.push(b'\n');
                after
            }
            [b'^', b'\r', b'\n', after @ ..] | [b'^', b'\n', after @ ..] if !is_quoted => after,
            [b'^', byte, after @ ..] if !is_quoted => {
                out.push(*byte);
                after
            }
            [byte, after @ ..] => {
                is_quoted ^= *byte == b'"';
                out.push(*byte);
                after
            }
        };
    }
}

/// Splits into words by the rules of the Microsoft C runtime: in `"…"`, both `\"` and `""` stand for one quote.
fn windows_words(text: &[u8]) -> Result<Vec<Word>, InputError> {
    let (mut words, mut rest) = (Vec::new(), text);
    let mut lexer = Lexer { rest: b"", word: None };
    let mut is_quoted = false;
    loop {
        rest = match rest {
            [] if is_quoted => return Err(InputError::UnclosedQuote),
            [] => {
                words.extend(lexer.word.take().map(Open::closed));
                return Ok(words);
            }
            [b' ' | b'\t' | b'\r' | b'\n', after @ ..] if !is_quoted => {
                words.extend(lexer.word.take().map(Open::closed));
                check_count(&words)?;
                after
            }
            [b'\\', b'"', after @ ..] => {
                lexer.push(b'"');
                after
            }
            [b'\\', b'\\', b'"', ..] => {
                lexer.push(b'\\');
                rest.get(2..).unwrap_or_default()
            }
            [b'"', b'"', after @ ..] if is_quoted => {
                lexer.push(b'"');
                after
            }
            [b'"', after @ ..] => {
                lexer.word.get_or_insert_with(Open::new);
                is_quoted = !is_quoted;
                after
            }
            [byte, after @ ..] => {
                lexer.push(*byte);
                after
            }
        };
    }
}
