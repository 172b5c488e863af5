//! Reads a configuration file line by line.

use alloc::string::String;

use super::error::{ProfileError, ProfileWarning};
use super::header::{Header, is_identifier};
use super::parse::{Profiles, Section};

pub(super) const WHITESPACE: [char; 2] = [' ', '\t'];
pub(super) const COMMENT: [char; 2] = ['#', ';'];

/// One of the two files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Config,
    Credentials,
}

/// Reads one file into [`Profiles`].
pub(super) struct Reader<'a> {
    path: &'a str,
    file: File,
    /// The number of the line that is read, from 1.
    line: usize,
    profiles: &'a mut Profiles,
    open: Option<Open>,
    /// `[default]` of the config file, and its line.
    plain_default: Option<(Section, usize)>,
    has_prefixed_default: bool,
}

/// The section that is read.
struct Open {
    header: Header,
    section: Section,
    line: usize,
    property: Option<Property>,
}

/// The property that an indented line continues.
struct Property {
    /// `None` if it is ignored.
    key: Option<String>,
    /// Whether the lines have keys and values of their own.
    nested: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a str, file: File, profiles: &'a mut Profiles) -> Self {
        Self { path, file, line: 0, profiles, open: None, plain_default: None, has_prefixed_default: false }
    }

    pub(super) fn read(mut self, text: &str) -> Result<(), ProfileError> {
        for line in text.lines() {
            self.line += 1;
            self.read_line(line).map_err(|problem| ProfileError::Syntax {
                path: self.path.into(),
                line: self.line,
                problem: problem.into(),
            })?;
        }
        self.close();
        let Some((section, line)) = self.plain_default.take() else { return Ok(()) };
        if self.has_prefixed_default {
            self.line = line;
            self.warn("[default] is ignored, because there is a [profile default]; remove one of them");
        } else {
            self.merge(&Header::Profile("default".into()), section);
        }
        Ok(())
    }

    fn read_line(&mut self, line: &str) -> Result<(), &'static str> {
        let content = line.trim_matches(WHITESPACE);
        if content.is_empty() || line.starts_with(COMMENT) {
            return Ok(());
        }
        if line.starts_with('[') {
            let header = Header::parse(line, self.file, self.profiles)?;
            self.begin(header);
            return Ok(());
        }
        if line.starts_with(WHITESPACE) { self.continuation(content) } else { self.property(content) }
    }

    fn begin(&mut self, header: Header) {
        self.close();
        if let Header::Ignored { name, problem: Some(problem) } = &header {
            self.warn_of_section(name.clone(), problem);
        }
        self.open = Some(Open { header, section: Section::default(), line: self.line, property: None });
    }

    fn close(&mut self) {
        let Some(Open { header, section, line, .. }) = self.open.take() else { return };
        match &header {
            Header::PlainDefault => {
                let (default, _) = self.plain_default.get_or_insert_with(|| (Section::default(), line));
                default.merge(section);
            }
            _ => self.merge(&header, section),
        }
    }

    fn merge(&mut self, header: &Header, section: Section) {
        let (sections, name) = match header {
            Header::Profile(name) => {
                self.has_prefixed_default |= name == "default";
                (&mut self.profiles.profiles, name)
            }
            Header::SsoSession(name) => (&mut self.profiles.sso_sessions, name),
            Header::Services(name) => (&mut self.profiles.services, name),
            Header::PlainDefault | Header::Ignored { .. } => return,
        };
        sections.entry(name.clone()).or_insert_with(|| Section::new(name)).merge(section);
    }

    fn property(&mut self, content: &str) -> Result<(), &'static str> {
        let Some(open) = &mut self.open else {
            return Err(match self.file {
                File::Config => "there is no section above this line; write [default] or [profile NAME] before it",
                File::Credentials => "there is no section above this line; write [default] or [NAME] before it",
            });
        };
        let (key, value) = key_and_value(content)?;
        let is_ignored = matches!(open.header, Header::Ignored { .. });
        let is_valid = is_identifier(key);
        let key = key.to_ascii_lowercase();
        let warning = match () {
            () if is_ignored => None,
            // The key is not shown, since it may be part of a secret that was pasted.
            () if !is_valid => Some("the key is ignored: keys may contain only letters, digits and - _ / . % @ : +"),
            () => misleading_comment(&key, value, without_comment(content).len() < content.len()),
        };
        let kept = (is_valid && !is_ignored).then_some(key);
        if let Some(key) = &kept {
            open.section.set(key.clone(), value);
        }
        open.property = Some(Property { key: kept, nested: value.is_empty() });
        warning.into_iter().for_each(|warning| self.warn(warning));
        Ok(())
    }

    /// An indented line.
    fn continuation(&mut self, content: &str) -> Result<(), &'static str> {
        let is_comment = content.starts_with(COMMENT);
        let open = self.open.as_mut();
        let Some((open, property)) = open.and_then(|open| Some((&mut open.section, open.property.as_ref()?))) else {
            return if is_comment {
                self.warn(INDENTED_COMMENT);
                Ok(())
            } else {
                Err("an indented line continues the value above it, but there is none; remove the indentation")
            };
        };
        if property.nested {
            if is_comment {
                self.warn(INDENTED_COMMENT);
                return Ok(());
            }
            key_and_value(content)?;
        }
        let Some(key) = &property.key else { return Ok(()) };
        open.continue_value(key, content);
        let has_comment = is_comment || without_comment(content).len() < content.len();
        if has_comment && key != "credential_process" {
            self.warn("a comment in an indented line is part of the value; move it to a line that begins with # or ;");
        }
        Ok(())
    }

    fn warn(&mut self, problem: &str) {
        self.warn_of_section(None, problem);
    }

    fn warn_of_section(&mut self, section: Option<String>, problem: &str) {
        if self.profiles.warnings.len() < Profiles::MAX_WARNINGS {
            let (path, line, problem) = (self.path.into(), self.line, problem.into());
            self.profiles.warnings.push(ProfileWarning { path, line, problem, section });
        }
    }
}

const INDENTED_COMMENT: &str =
    "the AWS SDKs reject a file with an indented comment here; remove the white space before it";

/// Splits `key = value`, without a comment after it.
fn key_and_value(content: &str) -> Result<(&str, &str), &'static str> {
    let (key, value) = without_comment(content).split_once('=').ok_or("this line has no =; write key = value")?;
    let key = key.trim_matches(WHITESPACE);
    if key.is_empty() {
        return Err("there is no key before the =; write key = value");
    }
    Ok((key, value.trim_matches(WHITESPACE)))
}

/// Cuts a comment off, which begins after white space.
fn without_comment(content: &str) -> &str {
    let mut after_space = false;
    for (position, c) in content.char_indices() {
        if after_space && COMMENT.contains(&c) {
            return content.split_at(position).0.trim_matches(WHITESPACE);
        }
        after_space = c.is_whitespace();
    }
    content
}

/// The warning about a comment after a value that tools read differently, or about text that only looks like one.
fn misleading_comment(key: &str, value: &str, was_cut: bool) -> Option<&'static str> {
    if was_cut {
        return Some(
            "the AWS SDKs ignore the comment after the value, but the AWS CLI reads it as part of the value; move the \
             comment to a line of its own",
        );
    }
    let follows = |position: usize| value.split_at(position).1.chars().nth(1);
    let looks_like_comment = value
        .char_indices()
        .filter(|(_, c)| COMMENT.contains(c))
        .any(|(position, c)| follows(position).map_or(c == ';', |next| WHITESPACE.contains(&next)));
    // A command may contain both.
    (looks_like_comment && key != "credential_process").then_some(
        "without white space before it, # or ; is part of the value rather than a comment; move the comment to a line of its own",
    )
}
