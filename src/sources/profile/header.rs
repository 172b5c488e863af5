//! The lines that begin a section.

use alloc::format;
use alloc::string::String;

use super::error::shown;
use super::lines::{COMMENT, File, WHITESPACE};
use super::parse::Profiles;

/// What a line such as `[profile dev]` begins.
#[derive(PartialEq, Eq)]
pub(super) enum Header {
    /// `[profile NAME]`, or `[NAME]` in the credentials file.
    Profile(String),
    /// `[default]` in the config file, which counts only if there is no `[profile default]`.
    PlainDefault,
    SsoSession(String),
    Services(String),
    /// A section that is ignored, with its name as far as it can be told.
    Ignored {
        name: Option<String>,
        problem: Option<String>,
    },
}

/// The kind of a section, its name, and whether the name may hold any character.
struct Parts {
    kind: Option<String>,
    name: String,
    quoted: bool,
}

const UNCLOSED: &str = "a section must end with ], and only a comment may follow it";
const INVALID_NAME: &str = "the section is ignored: names may contain only letters, digits and - _ / . % @ : +; write quotes \
                            around a name with spaces";
const INVALID_NAME_IN_CREDENTIALS: &str = "the section is ignored: names may contain only letters, digits and - _ / . % @ : +; a \
                                           name with spaces needs a [profile \"NAME\"] in the config file, too";

impl Header {
    /// Parses a line that begins with `[`.
    pub(super) fn parse(line: &str, file: File, known: &Profiles) -> Result<Self, &'static str> {
        let content = line.strip_prefix('[').unwrap_or(line).trim_matches(WHITESPACE);
        let inner = inner(content)?.trim_matches(WHITESPACE);
        Ok(match (file, Parts::of(inner)) {
            (File::Credentials, _) if known.profile(inner).is_some() => Self::Profile(inner.into()),
            (File::Config, Some(parts)) => parts.in_config(),
            (File::Credentials, Some(parts)) => parts.in_credentials(),
            (_, None) => Self::Ignored { name: None, problem: Some(INVALID_NAME.into()) },
        })
    }
}

impl Parts {
    fn of(inner: &str) -> Option<Self> {
        if !is_quoted(inner) {
            let (kind, name) = match inner.split_once(WHITESPACE) {
                Some((kind, name)) => (Some(kind.into()), name.trim_matches(WHITESPACE)),
                None => (None, inner),
            };
            return Some(Self { kind, name: name.into(), quoted: false });
        }
        let mut words = shlex::split(inner)?.into_iter();
        let (first, second) = (words.next()?, words.next());
        let (kind, name) = second.map_or((None, first.clone()), |second| (Some(first), second));
        words.next().is_none().then_some(Self { kind, name, quoted: true })
    }

    fn is_valid(&self) -> bool {
        is_identifier(&self.name) || self.quoted && !self.name.is_empty() && !self.name.chars().any(char::is_control)
    }

    fn in_config(self) -> Header {
        let Some(kind) = &self.kind else { return self.without_kind() };
        match kind.as_str() {
            "profile" | "sso-session" | "services" if !self.is_valid() => self.ignored(INVALID_NAME),
            "profile" => Header::Profile(self.name),
            "sso-session" => Header::SsoSession(self.name),
            "services" => Header::Services(self.name),
            _ => self.ignored(
                "the section is ignored: in the config file sections are [default], [profile NAME], \
                 [sso-session NAME] and [services NAME]",
            ),
        }
    }

    fn without_kind(self) -> Header {
        match self.name.as_str() {
            "default" => Header::PlainDefault,
            // Settings of the AWS CLI itself.
            "plugins" | "preview" => Header::Ignored { name: None, problem: None },
            name if is_identifier(name) => {
                let name = shown(name);
                let problem = format!("[{name}] is ignored in the config file; write [profile {name}]");
                self.ignored(&problem)
            }
            _ => self.ignored(INVALID_NAME),
        }
    }

    fn in_credentials(self) -> Header {
        match self.kind.as_deref() {
            None if is_identifier(&self.name) && !self.quoted => Header::Profile(self.name),
            Some("profile") if is_identifier(&self.name) => {
                let name = shown(&self.name);
                let problem = format!("[profile {name}] is ignored in the credentials file; write [{name}]");
                self.ignored(&problem)
            }
            Some("sso-session" | "services") => {
                self.ignored("the section is ignored in the credentials file; move it to the config file")
            }
            _ => self.ignored(INVALID_NAME_IN_CREDENTIALS),
        }
    }

    fn ignored(self, problem: &str) -> Header {
        Header::Ignored { name: Some(self.name), problem: Some(problem.into()) }
    }
}

/// What stands between the brackets.
fn inner(content: &str) -> Result<&str, &'static str> {
    if is_quoted(content)
        && let Some((inner, rest)) = closed(content)
    {
        let rest = rest.trim_matches(WHITESPACE);
        return if rest.is_empty() || rest.starts_with(COMMENT) { Ok(inner) } else { Err(UNCLOSED) };
    }
    let end = content.find(COMMENT).unwrap_or(content.len());
    let (before, _) = content.split_at(end);
    before.trim_matches(WHITESPACE).strip_suffix(']').ok_or(UNCLOSED)
}

/// Whether a name begins with a quote, which is the first thing in the section or follows the kind.
fn is_quoted(content: &str) -> bool {
    let name = content.split_once(WHITESPACE).map_or(content, |(_, name)| name.trim_matches(WHITESPACE));
    [content, name].iter().any(|text| text.starts_with(['"', '\'']))
}

/// Splits at the first `]` that isn't quoted.
fn closed(content: &str) -> Option<(&str, &str)> {
    let (mut quote, mut escaped) = (None, false);
    for (position, c) in content.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            None if c == ']' => {
                let (inner, rest) = content.split_at(position);
                return Some((inner, rest.strip_prefix(']').unwrap_or(rest)));
            }
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// Whether a name of a profile or a key is valid.
pub(super) fn is_identifier(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/.%@:+".contains(&byte))
}
