//! The header lines of the canonical request, and the list of their names.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::deviation::Deviation;
use super::stage::{Stage, Text, joined, merged, replaced, shown, written};
use crate::sigv4::rules::SessionTokenName;

/// How many headers are left out, or added, one by one.
const MOST_HEADERS: usize = 64;

/// A header that is signed.
pub(super) struct Header<'a> {
    /// In lower case.
    pub(super) name: Cow<'a, str>,
    pub(super) sent_name: &'a str,
    /// In the order received.
    pub(super) values: Vec<Cow<'a, [u8]>>,
    /// Where it was sent.
    pub(super) position: usize,
}

/// How a value is written.
#[derive(Clone, Copy, Default, PartialEq)]
enum Value {
    #[default]
    Right,
    AsSent,
    /// One space is left at either end.
    FoldedNotTrimmed,
    /// All spaces at both ends are left.
    EndsAsSent,
    TrimmedNotFolded,
    QuotedNotFolded,
    SpaceAfterColon,
    WithoutParameters,
}

/// How the values of a header that appears more than once are written.
#[derive(Clone, Copy, Default, PartialEq)]
enum Repeats {
    #[default]
    Joined,
    WithSpace,
    OnLines,
    OnLinesAndListed,
    First,
    Last,
    Sorted,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Order {
    #[default]
    Right,
    AsSent,
    AsSentListSorted,
    /// `name:value`
    AsLines,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Names {
    #[default]
    LowerCase,
    AsSent,
    AsSentInLines,
}

/// The port of the host, and its case.
#[derive(Clone, Copy, Default, PartialEq)]
enum Host {
    #[default]
    AsSent,
    WithPort(&'static str),
    WithoutPort,
    LowerCase,
}

/// Where a header is missing.
#[derive(Clone, Copy, Default, PartialEq)]
enum Missing {
    #[default]
    None,
    Everywhere(usize),
    InLines(usize),
    InList(usize),
}

#[derive(Clone, Copy, Default)]
struct Options {
    value: Value,
    repeats: Repeats,
    order: Order,
    names: Names,
    host: Host,
    missing: Missing,
    /// No empty line between the headers and the list.
    is_tight: bool,
}

impl Options {
    fn and(self, other: Self) -> Option<Self> {
        Some(Self {
            value: merged(self.value, other.value)?,
            repeats: merged(self.repeats, other.repeats)?,
            order: merged(self.order, other.order)?,
            names: merged(self.names, other.names)?,
            host: merged(self.host, other.host)?,
            missing: merged(self.missing, other.missing)?,
            is_tight: merged(self.is_tight, other.is_tight)?,
        })
    }
}

/// `headers` are the signed ones, in order of their names; `unsigned` are those that arrived besides. `with_pairs` adds what
/// takes two deviations.
pub(super) fn stage(headers: &[Header<'_>], unsigned: &[Header<'_>], right: &[u8], with_pairs: bool) -> Stage {
    let mut stage = Stage::new(right);
    let singles = singles(headers);
    for (deviation, options) in &singles {
        stage.add(deviation.clone(), write(headers, *options));
    }
    for added in unsigned.iter().take(MOST_HEADERS) {
        let mut all: Vec<&Header<'_>> = headers.iter().chain([added]).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let deviation = Deviation::HeaderAdded { name: shown(added.name.as_bytes()) };
        stage.add(deviation, write_all(&all, Options::default()));
    }
    for (index, (one, options)) in singles.iter().enumerate().filter(|_| with_pairs) {
        for (other, others) in singles.iter().skip(index + 1) {
            if let Some(both) = options.and(*others) {
                stage.add_pair(one, other, write(headers, both));
            }
        }
    }
    stage
}

fn singles(headers: &[Header<'_>]) -> Vec<(Deviation, Options)> {
    let plain = Options::default();
    let mut singles = value_forms(headers);
    singles.extend(repeat_forms(headers));
    let others = [
        (Deviation::HeadersSortedAsLines, Options { order: Order::AsLines, ..plain }),
        (Deviation::HeadersNotSorted, Options { order: Order::AsSent, ..plain }),
        (Deviation::HeadersNotSorted, Options { order: Order::AsSentListSorted, ..plain }),
        (Deviation::HeaderNamesNotLowerCase, Options { names: Names::AsSentInLines, ..plain }),
        (Deviation::HeaderNamesNotLowerCase, Options { names: Names::AsSent, ..plain }),
        (Deviation::HostWithPort { port: "443" }, Options { host: Host::WithPort(":443"), ..plain }),
        (Deviation::HostWithPort { port: "80" }, Options { host: Host::WithPort(":80"), ..plain }),
        (Deviation::HostWithoutPort, Options { host: Host::WithoutPort, ..plain }),
        (Deviation::HostInLowerCase, Options { host: Host::LowerCase, ..plain }),
        (Deviation::EmptyLineMissing, Options { is_tight: true, ..plain }),
    ];
    singles.extend(others);
    for (index, header) in headers.iter().enumerate().take(MOST_HEADERS) {
        let deviation = match SessionTokenName::of_header(&header.name) {
            Some(_) => Deviation::TokenNotSigned,
            None => Deviation::HeaderLeftOut { name: shown(header.name.as_bytes()) },
        };
        for missing in [Missing::Everywhere(index), Missing::InLines(index), Missing::InList(index)] {
            singles.push((deviation.clone(), Options { missing, ..plain }));
        }
    }
    singles
}

fn value_forms(headers: &[Header<'_>]) -> Vec<(Deviation, Options)> {
    let forms =
        [Value::FoldedNotTrimmed, Value::EndsAsSent, Value::TrimmedNotFolded, Value::QuotedNotFolded, Value::AsSent];
    let mut singles = Vec::new();
    for value in forms {
        let changes = |header: &&Header<'_>| {
            header.values.iter().any(|sent| *value_text(sent, value) != *value_text(sent, Value::Right))
        };
        let names = names_of(headers, changes);
        let deviation = match value {
            Value::TrimmedNotFolded => Deviation::HeaderNotFolded { names },
            Value::QuotedNotFolded => Deviation::QuotedSpacesKept { names },
            Value::AsSent => Deviation::HeaderAsSent { names },
            _ => Deviation::HeaderNotTrimmed { names },
        };
        singles.push((deviation, Options { value, ..Options::default() }));
    }
    let others = [
        (Deviation::SpaceAfterColon, Value::SpaceAfterColon),
        (Deviation::ContentTypeWithoutParameters, Value::WithoutParameters),
    ];
    singles.extend(others.map(|(deviation, value)| (deviation, Options { value, ..Options::default() })));
    singles
}

fn repeat_forms(headers: &[Header<'_>]) -> Vec<(Deviation, Options)> {
    let names = names_of(headers, |header| header.values.len() > 1);
    if names.is_empty() {
        return Vec::new();
    }
    let forms = [
        (Deviation::RepeatsNotJoined { names: names.clone() }, Repeats::OnLines),
        (Deviation::RepeatsNotJoined { names: names.clone() }, Repeats::OnLinesAndListed),
        (Deviation::RepeatsLastAlone { names: names.clone() }, Repeats::Last),
        (Deviation::RepeatsFirstAlone { names: names.clone() }, Repeats::First),
        (Deviation::RepeatsJoinedWithSpace { names: names.clone() }, Repeats::WithSpace),
        (Deviation::RepeatsSorted { names }, Repeats::Sorted),
    ];
    forms.into_iter().map(|(deviation, repeats)| (deviation, Options { repeats, ..Options::default() })).collect()
}

fn names_of<'h, 'a>(headers: &'h [Header<'a>], is: impl Fn(&&'h Header<'a>) -> bool) -> Vec<String> {
    headers.iter().filter(is).map(|header| shown(header.name.as_bytes())).collect()
}

fn write(headers: &[Header<'_>], options: Options) -> Text {
    write_all(&headers.iter().collect::<Vec<_>>(), options)
}

/// A line, and what the list says of it.
struct Line<'h, 'a> {
    header: &'h Header<'a>,
    index: usize,
    text: Text,
}

fn write_all(headers: &[&Header<'_>], options: Options) -> Text {
    let mut lines: Vec<Line<'_, '_>> = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        lines.extend(header_lines(header, options).into_iter().map(|text| Line { header, index, text }));
    }
    match options.order {
        Order::Right => {}
        Order::AsLines => lines.sort_by(|a, b| a.text.cmp(&b.text)),
        Order::AsSent | Order::AsSentListSorted => lines.sort_by_key(|line| line.header.position),
    }
    let list = write_list(&lines, options);
    let missing = |line: &&Line<'_, '_>| !matches!(options.missing, Missing::Everywhere(index) | Missing::InLines(index) if index == line.index);
    let capacity = lines.iter().map(|line| line.text.len() + 1).sum::<usize>() + list.len() + 1;
    written(capacity, |out| {
        for line in lines.iter().filter(missing) {
            out.extend_from_slice(&line.text);
            out.push(b'\n');
        }
        if !options.is_tight {
            out.push(b'\n');
        }
        out.extend_from_slice(&list);
    })
}

fn write_list(lines: &[Line<'_, '_>], options: Options) -> Text {
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    let mut last = None;
    for line in lines {
        if matches!(options.missing, Missing::Everywhere(index) | Missing::InList(index) if index == line.index) {
            continue;
        }
        if last.replace(line.index) != Some(line.index) || options.repeats == Repeats::OnLinesAndListed {
            names.push(if options.names == Names::AsSent {
                Cow::Borrowed(line.header.sent_name)
            } else {
                Cow::Borrowed(&line.header.name)
            });
        }
    }
    if matches!(options.order, Order::AsSentListSorted | Order::AsLines) {
        names.sort();
        names.dedup();
    }
    Text::from(names.join(";").into_bytes())
}

fn header_lines(header: &Header<'_>, options: Options) -> Vec<Text> {
    let name = if options.names == Names::LowerCase { &header.name } else { header.sent_name };
    let mut values: Vec<Text> = header.values.iter().map(|sent| sent_value(header, sent, options)).collect();
    let colon: &[u8] = if options.value == Value::SpaceAfterColon { b": " } else { b":" };
    let line = |value: &[u8]| joined(&[name.as_bytes(), colon, value]);
    let all = |values: &[Text], between: &[u8]| {
        let mut pieces: Vec<&[u8]> = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                pieces.push(between);
            }
            pieces.push(value);
        }
        joined(&pieces)
    };
    match options.repeats {
        Repeats::OnLines | Repeats::OnLinesAndListed => return values.iter().map(|value| line(value)).collect(),
        Repeats::Sorted => values.sort(),
        Repeats::Joined | Repeats::WithSpace | Repeats::First | Repeats::Last => {}
    }
    let value = match options.repeats {
        Repeats::First => values.first().cloned().unwrap_or_default(),
        Repeats::Last => values.last().cloned().unwrap_or_default(),
        Repeats::WithSpace => all(&values, b", "),
        _ => all(&values, b","),
    };
    [line(&value)].into()
}

fn sent_value(header: &Header<'_>, sent: &[u8], options: Options) -> Text {
    match (&*header.name, options.host) {
        ("host", Host::WithPort(port)) => joined(&[without_port(sent.trim_ascii()), port.as_bytes()]),
        ("host", Host::WithoutPort) => joined(&[without_port(sent.trim_ascii())]),
        ("host", Host::LowerCase) => Text::from(sent.trim_ascii().to_ascii_lowercase()),
        ("content-type", _) if options.value == Value::WithoutParameters => {
            value_text(sent.split(|byte| *byte == b';').next().unwrap_or_default(), Value::Right)
        }
        _ => value_text(sent, options.value),
    }
}

/// A colon inside the brackets belongs to an IPv6 address.
fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|byte| *byte == b':').and_then(|colon| host.split_at_checked(colon)) {
        Some((name, port)) if !port.contains(&b']') => name,
        _ => host,
    }
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn value_text(sent: &[u8], value: Value) -> Text {
    let trimmed = sent.trim_ascii();
    match value {
        Value::AsSent => joined(&[sent]),
        Value::TrimmedNotFolded => joined(&[trimmed]),
        Value::QuotedNotFolded => quoted_not_folded(trimmed),
        Value::FoldedNotTrimmed => {
            let edge = |end: Option<&u8>| if end.is_some_and(is_space) { b" ".as_slice() } else { b"" };
            let ends =
                if trimmed.is_empty() { [edge(sent.first()), b""] } else { [sent.first(), sent.last()].map(edge) };
            let [start, end] = ends;
            joined(&[start, &folded(sent), end])
        }
        Value::EndsAsSent => {
            let start = sent.iter().take_while(|byte| is_space(byte)).count();
            let end = sent.iter().rposition(|byte| !is_space(byte)).map_or(sent.len(), |last| last + 1);
            let part = |range: core::ops::Range<usize>| sent.get(range).unwrap_or_default();
            joined(&[part(0..start), &folded(sent), part(end..sent.len())])
        }
        Value::Right | Value::SpaceAfterColon | Value::WithoutParameters => folded(sent),
    }
}

fn folded(sent: &[u8]) -> Text {
    let words: Vec<&[u8]> = sent.split(is_space).filter(|word| !word.is_empty()).collect();
    Text::from(words.join(&b' '))
}

/// What is between quotes stays as it is.
fn quoted_not_folded(sent: &[u8]) -> Text {
    written(sent.len(), |out| {
        let mut is_quoted = false;
        for byte in sent {
            is_quoted ^= *byte == b'"';
            if is_quoted || !is_space(byte) {
                out.push(*byte);
            } else if !out.last().is_some_and(is_space) {
                out.push(b' ');
            }
        }
    })
}

/// The line feeds of a canonical request as `CRLF`.
pub(super) fn with_crlf(text: &[u8]) -> Text {
    replaced(text, b"\n", b"\r\n")
}
