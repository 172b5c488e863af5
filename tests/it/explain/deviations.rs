//! Every plain vector, signed wrong by a naive signer of its own in each of the ways below: the diagnosis names the way.

use std::collections::BTreeMap;

use countersign::explain::{Deviation, Diagnosis, deviations};
use countersign::{Credentials, Request, Rules, Signer, VerifyError};
use countersign_conformance::cases::Case;
use countersign_conformance::cases::plain::{Location, Plain};
use countersign_conformance::cases::wire::Wire;

use crate::support::fixtures::{HOST, SECRET, TOKEN, credentials, now, signer, temporary, views};
use crate::support::naive::{self, Naive, decode, encode, fold, spaced};
use crate::support::random::Random;
use crate::support::vector_files::files;

/// What a signer works with, changed by a deviation.
#[derive(Clone)]
struct Job<'a> {
    wire: &'a Wire,
    is_s3: bool,
    presigned: bool,
    is_token_signed: bool,
    wire_path: Vec<u8>,
    method: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    /// Name and values of each header that is signed, in order.
    headers: Vec<(String, Vec<Vec<u8>>)>,
    lines: Vec<Vec<u8>>,
    list: Vec<u8>,
    payload: Vec<u8>,
    blank: &'static [u8],
    crlf: bool,
    timestamp: String,
    scope: [String; 3],
    key: [String; 3],
    aws4_secret: Vec<u8>,
    steps: usize,
    in_hex: bool,
    upper_case_hash: bool,
    not_hashed: bool,
    last: &'static str,
}

fn join(pieces: &[Vec<u8>], between: &[u8]) -> Vec<u8> {
    pieces.join(between)
}

impl<'a> Job<'a> {
    fn of(case: &Plain, wire: &'a Wire) -> Self {
        let presigned = case.context.location == Location::Query;
        let rules = case.rules().unwrap();
        let mut sent = wire.headers.clone();
        if !sent.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            let host = wire.authority.rsplit_once('@').map_or(wire.authority.as_str(), |(_, host)| host);
            let port = if wire.scheme == "http" { ":80" } else { ":443" };
            sent.push(("host".into(), host.strip_suffix(port).unwrap_or(host).into()));
        }
        let names: Vec<&str> = case.expect.signed_headers.split(';').collect();
        let payload = case.context.payload.trim_end_matches("+header");
        let payload = match payload {
            "signed" => naive::sha256_hex(&wire.body),
            "unsigned" => "UNSIGNED-PAYLOAD".into(),
            literal => literal["literal:".len()..].into(),
        };
        let left_out: &[&str] = match (presigned, rules.sign_session_token) {
            (false, _) => &[],
            (true, true) => &["X-Amz-Signature"],
            (true, false) => &["X-Amz-Signature", "X-Amz-Security-Token"],
        };
        let text = Naive {
            method: &wire.method,
            target: &wire.target,
            headers: &sent,
            signed_headers: &names,
            payload: &payload,
            normalize_path: rules.normalize_path,
            double_encode: rules.double_encode_path,
            left_out,
        }
        .canonical_request();
        let mut parts: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let (payload, list) = (parts.pop().unwrap(), parts.pop().unwrap());
        parts.pop();
        let lines = parts.split_off(3);
        let values = |name: &str| -> Vec<Vec<u8>> {
            sent.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect()
        };
        let (secret, timestamp, region, service) = case.signed_by();
        let scope = [timestamp[..8].to_owned(), region.to_owned(), service.to_owned()];
        Self {
            wire,
            is_s3: !rules.double_encode_path,
            presigned,
            is_token_signed: rules.sign_session_token,
            wire_path: wire.target.split(|byte| *byte == b'?').next().unwrap().to_vec(),
            query: parts.pop().unwrap(),
            path: parts.pop().unwrap(),
            method: parts.pop().unwrap(),
            headers: names.iter().map(|name| ((*name).to_owned(), values(name))).collect(),
            lines,
            list,
            payload,
            blank: b"\n\n",
            crlf: false,
            timestamp: timestamp.to_owned(),
            key: scope.clone(),
            scope,
            aws4_secret: format!("AWS4{secret}").into_bytes(),
            steps: 4,
            in_hex: false,
            upper_case_hash: false,
            not_hashed: false,
            last: "",
        }
    }

    fn canonical(&self) -> Vec<u8> {
        let headers = [join(&self.lines, b"\n"), self.list.clone()].join(self.blank);
        let parts = [&self.method, &self.path, &self.query, &headers, &self.payload].map(Clone::clone);
        let text = join(&parts, b"\n");
        if self.crlf { String::from_utf8_lossy(&text).replace('\n', "\r\n").into_bytes() } else { text }
    }

    fn signature(&self) -> String {
        let canonical = self.canonical();
        let hash = naive::sha256_hex(&canonical);
        let hash = if self.upper_case_hash { hash.to_uppercase() } else { hash };
        let last = if self.not_hashed { canonical } else { hash.into_bytes() };
        let scope = self.scope.join("/");
        let end = if self.crlf { "\r\n" } else { "\n" };
        let mut text =
            ["AWS4-HMAC-SHA256", &self.timestamp, &format!("{scope}/aws4_request"), ""].join(end).into_bytes();
        text.extend(last);
        text.extend(self.last.bytes());
        let mut key = self.aws4_secret.clone();
        let [date, region, service] = &self.key;
        for step in [date, region, service, "aws4_request"].iter().take(self.steps) {
            key = naive::hmac(&key, step.as_bytes());
            if self.in_hex {
                key = hex::encode(key).into_bytes();
            }
        }
        hex::encode(naive::hmac(&key, &text))
    }

    /// The parameters as they were sent: name, value, and whether with a `=`.
    fn pairs(&self) -> Vec<(Vec<u8>, Vec<u8>, bool)> {
        let query = self.wire.target.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
        let pieces = query.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
        let pair = |piece: &[u8]| {
            let mut parts = piece.splitn(2, |byte| *byte == b'=').map(<[u8]>::to_vec);
            (parts.next().unwrap(), parts.next().unwrap_or_default(), piece.contains(&b'='))
        };
        let is_signed = |(name, ..): &(Vec<u8>, Vec<u8>, bool)| {
            let name = decode(name);
            let is_token = name == b"X-Amz-Security-Token";
            !self.presigned || (name != b"X-Amz-Signature" && (self.is_token_signed || !is_token))
        };
        pieces.map(pair).filter(is_signed).collect()
    }

    fn encoded_pairs(&self) -> Vec<(String, String)> {
        let whole = |part: &[u8]| encode(&decode(&spaced(part)));
        self.pairs().iter().map(|(name, value, _)| (whole(name), whole(value))).collect()
    }

    fn set_query(&mut self, pairs: &[(String, String)]) {
        self.query = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&").into();
    }

    /// Writes names and values in another way, and sorts them.
    fn rewrite_query(&mut self, write: impl Fn(&[u8]) -> String) {
        let mut pairs: Vec<(String, String)> =
            self.pairs().iter().map(|(name, value, _)| (write(name), write(value))).collect();
        pairs.sort();
        self.set_query(&pairs);
    }

    fn text(&self) -> String {
        String::from_utf8(self.path.clone()).unwrap()
    }

    /// Writes the values of each header in another way, joined by commas.
    fn rewrite_values(&mut self, write: impl Fn(&[u8]) -> Vec<u8>) {
        self.rewrite_headers(|name, values| {
            let values: Vec<Vec<u8>> = values.iter().map(|value| write(value)).collect();
            vec![[format!("{name}:").as_bytes(), &values.join(&b","[..])].concat()]
        });
    }

    fn rewrite_headers(&mut self, write: impl Fn(&str, &[Vec<u8>]) -> Vec<Vec<u8>>) {
        self.lines = self.headers.iter().flat_map(|(name, values)| write(name, values)).collect();
    }

    fn folded(&self) -> Vec<(String, Vec<Vec<u8>>)> {
        let fold = |values: &Vec<Vec<u8>>| values.iter().map(|value| fold(value)).collect();
        self.headers.iter().map(|(name, values)| (name.clone(), fold(values))).collect()
    }

    fn set_time(&mut self, seconds: i64) {
        let time: countersign::Timestamp = self.timestamp.parse().unwrap();
        self.timestamp = time.saturating_add(seconds).to_string();
    }
}

fn lower_case_escapes(text: &str) -> String {
    let mut pieces = text.split('%');
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |out, piece| format!("{out}%{}{}", piece[..2].to_lowercase(), &piece[2..]))
}

fn line(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b":", value].concat()
}

fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

fn one_space_at_ends(value: &[u8]) -> Vec<u8> {
    let end = |byte: Option<&u8>| if matches!(byte, Some(b' ' | b'\t')) { " " } else { "" };
    if trim(value).is_empty() {
        return end(value.first()).into();
    }
    [end(value.first()).as_bytes(), &fold(value), end(value.last()).as_bytes()].concat()
}

/// Rewrites the repeats of the headers, if there are any; how the values of one become lines.
fn repeats(job: &mut Job<'_>, write: impl Fn(&str, Vec<Vec<u8>>) -> Vec<Vec<u8>>) {
    job.lines = job.folded().into_iter().flat_map(|(name, values)| write(&name, values)).collect();
}

/// The name of the deviation, and a signer that does it.
type Wrong = (&'static str, fn(&mut Job<'_>));

const PATH: &[Wrong] = &[
    ("path_encoded_once", |job| {
        if !job.is_s3 {
            let segments: Vec<String> =
                job.text().split('/').map(|segment| encode(&decode(&decode(segment.as_bytes())))).collect();
            job.path = segments.join("/").into();
        }
    }),
    ("path_encoded_twice", |job| {
        if job.is_s3 {
            job.path = job.text().replace('%', "%25").into();
        }
    }),
    ("path_encoded_three_times", |job| {
        if !job.is_s3 {
            job.path = job.text().replace('%', "%25").into();
        }
    }),
    ("path_not_encoded", |job| {
        let once = decode(&job.path);
        job.path = if job.is_s3 { once } else { decode(&once) };
    }),
    ("path_not_normalized", |job| {
        if !job.is_s3 && job.wire_path.starts_with(b"/") {
            let segments: Vec<String> = job.wire_path.split(|byte| *byte == b'/').map(encode).collect();
            job.path = segments.join("/").into();
        }
    }),
    ("path_normalized", |job| {
        if job.is_s3 && job.wire_path.starts_with(b"/") && !job.wire_path.contains(&b'%') {
            let mut kept: Vec<&str> = Vec::new();
            let path = job.text();
            for segment in path.split('/').filter(|segment| !matches!(*segment, "" | ".")) {
                if segment == ".." {
                    kept.pop();
                } else {
                    kept.push(segment);
                }
            }
            let end = if path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..") { "/" } else { "" };
            job.path = format!("/{}{}", kept.join("/"), if kept.is_empty() { "" } else { end }).into();
        }
    }),
    ("path_empty", |job| {
        if job.path == b"/" {
            job.path.clear();
        }
    }),
    ("trailing_slash_removed", |job| {
        if job.path.len() > 1 && job.path.ends_with(b"/") {
            job.path.pop();
        }
    }),
    ("trailing_slash_added", |job| {
        if !job.path.ends_with(b"/") {
            job.path.push(b'/');
        }
    }),
    ("path_prefix_removed", |job| {
        let path = job.text();
        // The prefix of a wire path, in which a slash may be encoded.
        if !job.wire_path.contains(&b'%')
            && let Some(second) = path[1..].find('/')
        {
            job.path = path[second + 1..].into();
        }
    }),
    ("path_slashes_encoded", |job| {
        if !job.is_s3 {
            job.path = job.text().replace('/', "%2F").into();
        }
    }),
    ("encoded_slash_decoded", |job| {
        if !job.is_s3 {
            job.path = job.text().replace("%252F", "/").replace("%252f", "/").into();
        }
    }),
    ("encoded_slash_kept", |job| {
        if job.is_s3 && job.wire_path.starts_with(b"/") {
            let segments: Vec<String> =
                job.wire_path.split(|byte| *byte == b'/').map(|segment| encode(&decode(segment))).collect();
            job.path = segments.join("/").into();
        }
    }),
    ("path_plus_as_space", |job| {
        if job.is_s3 && job.wire_path.starts_with(b"/") {
            let text = encode(&decode(&spaced(&job.wire_path)));
            job.path = text.replace("%2F", "/").into();
        }
    }),
];

const QUERY: &[Wrong] = &[
    ("query_not_sorted", |job| {
        let pairs = job.encoded_pairs();
        job.set_query(&pairs);
    }),
    ("query_sorted_as_text", |job| {
        let mut pairs = job.encoded_pairs();
        pairs.sort_by_key(|(name, value)| format!("{name}={value}"));
        job.set_query(&pairs);
    }),
    ("query_sorted_before_encoding", |job| {
        let mut pairs = job.encoded_pairs();
        pairs.sort_by_key(|(name, value)| (decode(name.as_bytes()), decode(value.as_bytes())));
        job.set_query(&pairs);
    }),
    ("query_values_not_sorted", |job| {
        let mut pairs = job.encoded_pairs();
        pairs.sort_by_key(|(name, _)| name.clone());
        job.set_query(&pairs);
    }),
    ("query_sorted_ignoring_case", |job| {
        let mut pairs = job.encoded_pairs();
        pairs.sort_by_key(|(name, value)| (name.to_lowercase(), value.clone()));
        job.set_query(&pairs);
    }),
    ("plus_as_plus", |job| job.rewrite_query(|part| encode(&decode(part)))),
    ("query_encoded_twice", |job| job.rewrite_query(|part| encode(encode(&decode(&spaced(part))).as_bytes()))),
    ("query_decoded_twice", |job| job.rewrite_query(|part| encode(&decode(&spaced(&decode(&spaced(part))))))),
    ("query_not_encoded", |job| {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> =
            job.pairs().iter().map(|(name, value, _)| (decode(&spaced(name)), decode(&spaced(value)))).collect();
        pairs.sort();
        let pairs: Vec<Vec<u8>> = pairs.iter().map(|(name, value)| [name.as_slice(), b"=", value].concat()).collect();
        job.query = join(&pairs, b"&");
    }),
    ("query_as_sent", |job| {
        if !job.presigned {
            job.query = job.wire.target.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default().to_vec();
        }
    }),
    ("equals_sign_missing", |job| {
        let query = String::from_utf8(job.query.clone()).unwrap();
        let pairs: Vec<&str> = query.split('&').map(|pair| pair.strip_suffix('=').unwrap_or(pair)).collect();
        job.query = pairs.join("&").into();
    }),
    ("empty_parameter_left_out", |job| {
        let mut pairs = job.encoded_pairs();
        pairs.retain(|(_, value)| !value.is_empty());
        pairs.sort();
        job.set_query(&pairs);
    }),
    ("repeated_parameter_left_out", |job| {
        let pairs: BTreeMap<String, String> = job.encoded_pairs().into_iter().collect();
        job.set_query(&pairs.into_iter().collect::<Vec<_>>());
    }),
    ("query_left_out", |job| job.query.clear()),
    ("token_not_signed", |job| {
        let mut pairs = job.encoded_pairs();
        if job.presigned && job.is_token_signed {
            pairs.retain(|(name, _)| name != "X-Amz-Security-Token");
            pairs.sort();
            job.set_query(&pairs);
        } else {
            job.lines.retain(|line| !line.starts_with(b"x-amz-security-token:"));
            let names = String::from_utf8(job.list.clone()).unwrap();
            let names: Vec<&str> = names.split(';').filter(|name| *name != "x-amz-security-token").collect();
            job.list = names.join(";").into();
        }
    }),
    ("token_signed", |job| {
        if job.presigned && !job.is_token_signed {
            job.is_token_signed = true;
            let mut pairs = job.encoded_pairs();
            pairs.sort();
            job.set_query(&pairs);
        }
    }),
];

/// In path and query alike.
const BOTH: &[Wrong] = &[
    ("space_as_plus", |job| {
        job.path = job.text().replace("%2520", "+").replace("%20", "+").into();
        job.rewrite_query(|part| encode(&decode(&spaced(part))).replace("%20", "+"));
    }),
    ("lower_case_escapes", |job| {
        job.path = lower_case_escapes(&job.text()).into();
        job.rewrite_query(|part| lower_case_escapes(&encode(&decode(&spaced(part)))));
    }),
    ("reserved_not_encoded", |job| {
        // `encodeURIComponent`.
        let raw = |text: &str| {
            text.replace("%21", "!").replace("%27", "'").replace("%28", "(").replace("%29", ")").replace("%2A", "*")
        };
        job.path = raw(&job.text()).into();
        job.rewrite_query(|part| raw(&encode(&decode(&spaced(part)))));
    }),
    ("tilde_encoded", |job| {
        job.path = job.text().replace('~', "%7E").into();
        job.rewrite_query(|part| encode(&decode(&spaced(part))).replace('~', "%7E"));
    }),
];

const HEADERS: &[Wrong] = &[
    ("header_not_trimmed", |job| job.rewrite_values(one_space_at_ends)),
    ("header_not_folded", |job| job.rewrite_values(|value| trim(value).to_vec())),
    ("header_as_sent", |job| job.rewrite_values(<[u8]>::to_vec)),
    ("quoted_spaces_kept", |job| {
        job.rewrite_values(|value| {
            let value = String::from_utf8_lossy(trim(value)).into_owned();
            let pieces = value.split('"').enumerate().map(|(index, piece)| {
                if index % 2 == 1 {
                    return piece.to_owned();
                }
                let words: Vec<&str> = piece.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
                let start = if piece.starts_with([' ', '\t']) && !words.is_empty() { " " } else { "" };
                let end = if piece.ends_with([' ', '\t']) { " " } else { "" };
                format!("{start}{}{end}", words.join(" "))
            });
            pieces.collect::<Vec<_>>().join("\"").into_bytes()
        });
    }),
    ("space_after_colon", |job| {
        for line in &mut job.lines {
            let colon = line.iter().position(|byte| *byte == b':').unwrap();
            line.insert(colon + 1, b' ');
        }
    }),
    ("repeats_not_joined", |job| {
        repeats(job, |name, values| values.iter().map(|value| line(name, value)).collect());
    }),
    ("repeats_last_alone", |job| repeats(job, |name, values| vec![line(name, values.last().unwrap())])),
    ("repeats_first_alone", |job| repeats(job, |name, values| vec![line(name, &values[0])])),
    ("repeats_joined_with_space", |job| repeats(job, |name, values| vec![line(name, &join(&values, b", "))])),
    ("repeats_sorted", |job| {
        repeats(job, |name, mut values| {
            values.sort();
            vec![line(name, &join(&values, b","))]
        });
    }),
    ("headers_sorted_as_lines", |job| job.lines.sort()),
    ("headers_not_sorted", |job| {
        // The host first, the others as they are sent.
        let position = |line: &Vec<u8>| {
            let name = line.split(|byte| *byte == b':').next().unwrap();
            job.wire.headers.iter().position(|(sent, _)| sent.as_bytes().eq_ignore_ascii_case(name)).map(|at| at + 1)
        };
        job.lines.sort_by_key(position);
    }),
    ("header_names_not_lower_case", |job| {
        for line in &mut job.lines {
            let colon = line.iter().position(|byte| *byte == b':').unwrap();
            let mut sent = job.wire.headers.iter().map(|(name, _)| name);
            if let Some(sent) = sent.find(|sent| sent.as_bytes().eq_ignore_ascii_case(&line[..colon])) {
                line.splice(..colon, sent.bytes());
            }
        }
    }),
    ("header_left_out", |job| {
        let is_content_type = |line: &Vec<u8>| line.starts_with(b"content-type:");
        if job.lines.iter().any(is_content_type) {
            job.lines.retain(|line| !is_content_type(line));
        } else {
            job.lines.retain(|line| !line.starts_with(b"x-amz-date:"));
        }
    }),
    ("host_with_port", |job| {
        for line in job.lines.iter_mut().filter(|line| line.starts_with(b"host:")) {
            if line.iter().filter(|byte| **byte == b':').count() == 1 {
                line.extend(b":443");
            }
        }
    }),
    ("host_without_port", |job| {
        for line in job.lines.iter_mut().filter(|line| line.starts_with(b"host:")) {
            if line.iter().filter(|byte| **byte == b':').count() == 2 {
                let port = line.iter().rposition(|byte| *byte == b':').unwrap();
                line.truncate(port);
            }
        }
    }),
    ("content_type_without_parameters", |job| {
        for line in job.lines.iter_mut().filter(|line| line.starts_with(b"content-type:")) {
            let end = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
            line.truncate(end);
        }
    }),
    ("empty_line_missing", |job| job.blank = b"\n"),
];

const PAYLOAD: &[Wrong] = &[
    ("payload_hashed", |job| job.payload = naive::sha256_hex(&job.wire.body).into()),
    ("empty_payload_hashed", |job| job.payload = naive::sha256_hex(b"").into()),
    ("payload_unsigned", |job| job.payload = b"UNSIGNED-PAYLOAD".to_vec()),
    ("payload_line_empty", |job| job.payload.clear()),
    ("payload_hash_upper_case", |job| {
        if job.payload.len() == 64 {
            job.payload.make_ascii_uppercase();
        }
    }),
    ("payload_hashed_twice", |job| {
        if job.payload.len() == 64 {
            job.payload = naive::sha256_hex(&job.payload).into();
        }
    }),
    ("payload_not_hashed", |job| {
        if !job.wire.body.is_empty() {
            job.payload.clone_from(&job.wire.body);
        }
    }),
    ("body_line_feed_added", |job| {
        if !job.wire.body.is_empty() {
            job.payload = naive::sha256_hex(&[&job.wire.body[..], b"\n"].concat()).into();
        }
    }),
    ("body_line_feed_removed", |job| {
        if let Some(cut) = job.wire.body.strip_suffix(b"\n") {
            job.payload = naive::sha256_hex(cut).into();
        }
    }),
    ("canonical_request_line_feed", |job| job.payload.push(b'\n')),
    ("method_case", |job| job.method.make_ascii_lowercase()),
];

const SIGNING: &[Wrong] = &[
    ("cr_lf", |job| job.crlf = job.canonical().is_ascii()),
    ("secret_with_line_feed", |job| job.aws4_secret.push(b'\n')),
    ("secret_with_space", |job| job.aws4_secret.push(b' ')),
    ("secret_in_quotes", |job| {
        job.aws4_secret.insert(4, b'"');
        job.aws4_secret.push(b'"');
    }),
    ("secret_encoded", |job| job.aws4_secret = encode(&job.aws4_secret).into()),
    ("secret_missing", |job| job.aws4_secret.truncate(4)),
    ("secret_without_prefix", |job| drop(job.aws4_secret.drain(..4))),
    ("key_in_hex", |job| job.in_hex = true),
    ("key_without_terminator", |job| job.steps = 3),
    ("key_not_derived", |job| job.steps = 0),
    ("key_of_another_day", |job| {
        let mut day = job.clone();
        day.set_time(-86_400);
        job.key[0] = day.timestamp[..8].into();
    }),
    ("scope_of_another_day", |job| {
        let mut day = job.clone();
        day.set_time(86_400);
        job.key[0] = day.timestamp[..8].into();
        job.scope[0] = day.timestamp[..8].into();
    }),
    ("local_time", |job| {
        // India, with the date of the scope by the same clock.
        job.set_time(5 * 3600 + 1800);
        job.key[0] = job.timestamp[..8].into();
        job.scope[0] = job.timestamp[..8].into();
    }),
    ("time_read_twice", |job| job.set_time(-1)),
    ("time_format", |job| {
        let t = &job.timestamp;
        let date = [&t[..4], &t[4..6], &t[6..11]].join("-");
        job.timestamp = [&date, &t[11..13], &t[13..]].join(":");
    }),
    ("other_region", |job| {
        job.scope[1] = "eu-central-1".into();
        job.key[1] = "eu-central-1".into();
    }),
    ("other_service", |job| {
        job.scope[2] = "sqs".into();
        job.key[2] = "sqs".into();
    }),
    ("region_and_service_swapped", |job| {
        job.scope.swap(1, 2);
        job.key.swap(1, 2);
    }),
    ("hash_upper_case", |job| job.upper_case_hash = true),
    ("canonical_request_not_hashed", |job| job.not_hashed = true),
    ("string_to_sign_line_feed", |job| job.last = "\n"),
];

/// The cases whose rules are those of their service, each with what arrives.
fn cases() -> Vec<(Plain, Wire)> {
    let cases = files().into_values().flatten();
    let plain = |case| match case {
        Case::Plain(case) => Some(*case),
        Case::Tokens(case) => Some(case.plain),
        _ => None,
    };
    let as_usual = |case: &Plain| {
        let (own, usual) = (case.rules().unwrap(), Rules::for_service(&case.context.service));
        own.normalize_path == usual.normalize_path
            && own.double_encode_path == usual.double_encode_path
            && own.sign_session_token == usual.sign_session_token
            && (case.context.location == Location::Header
                || own.presign_unsigned_payload == usual.presign_unsigned_payload)
    };
    let arrived = |case: Plain| {
        let wire = match case.context.location {
            Location::Header => case.sign().unwrap(),
            Location::Query => case.presign().unwrap(),
        };
        (case, wire)
    };
    cases.filter_map(plain).filter(as_usual).map(arrived).collect()
}

/// The request with another signature.
fn with_signature(wire: &Wire, from: &str, to: &str) -> Wire {
    let replace = |bytes: &mut Vec<u8>| {
        if let Some(at) = bytes.windows(from.len()).position(|window| window == from.as_bytes()) {
            bytes.splice(at..at + from.len(), to.bytes());
        }
    };
    let mut wire = wire.clone();
    replace(&mut wire.target);
    wire.headers.iter_mut().for_each(|(_, value)| replace(value));
    wire
}

fn diagnosed(wire: &Wire, credentials: &Credentials) -> Diagnosis {
    wire.with_view(|request| deviations(request, Some(&wire.body), credentials))
}

fn names(deviations: &[Deviation]) -> Vec<&'static str> {
    deviations.iter().map(Deviation::name).collect()
}

fn all() -> impl Iterator<Item = &'static Wrong> {
    [PATH, QUERY, BOTH, HEADERS, PAYLOAD, SIGNING].into_iter().flatten()
}

/// By the name of a deviation, how often it was named first, and how often beside one with an equal text.
type Counts = BTreeMap<&'static str, (u32, u32)>;

fn counted(cases: &[(Plain, Wire)]) -> (Counts, Vec<String>) {
    let mut counts: Counts = all().map(|(name, _)| (*name, (0, 0))).collect();
    let mut failures = Vec::new();
    for (case, wire) in cases {
        let job = Job::of(case, wire);
        assert_eq!(job.signature(), case.expect.signature, "{}", case.id);
        for (name, deviate) in all() {
            let mut wrong = job.clone();
            deviate(&mut wrong);
            let signature = wrong.signature();
            if signature == case.expect.signature {
                continue;
            }
            let arrived = with_signature(wire, &case.expect.signature, &signature);
            let diagnosis = diagnosed(&arrived, &case.credentials().unwrap());
            if let Diagnosis::Deviates { deviations, equivalent } = &diagnosis {
                deviations.iter().chain(equivalent).for_each(check_words);
            }
            let (first, equal) = counts.get_mut(name).unwrap();
            match &diagnosis {
                Diagnosis::Deviates { deviations, .. } if names(deviations) == [*name] => *first += 1,
                Diagnosis::Deviates { deviations, equivalent }
                    if deviations.len() == 1 && names(equivalent).contains(name) =>
                {
                    *equal += 1;
                }
                _ => failures.push(format!("{} {name}: {diagnosis:?}", case.id)),
            }
        }
    }
    (counts, failures)
}

#[test]
fn each_deviation_is_named_for_every_vector_that_it_changes() {
    let mut cases = cases();
    // All of them take over a minute in a debug build; `.ci/run` tests them in a release build.
    if cfg!(debug_assertions) {
        let mut index = 0;
        cases.retain(|_| {
            index += 1;
            index % 8 == 0
        });
    }
    let half = cases.len() / 2;
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| counted(&cases[half..]));
        (counted(&cases[..half]), other.join().unwrap())
    });
    let mut counts = one.0;
    for (name, (first, equal)) in other.0 {
        let sum = counts.get_mut(name).unwrap();
        *sum = (sum.0 + first, sum.1 + equal);
    }
    let failures = [one.1, other.1].concat();
    for (name, (first, equal)) in &counts {
        println!("{name}: {first} named, {equal} with an equal text");
        assert!(cfg!(debug_assertions) || first + equal > 0, "{name} was never made");
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures[..failures.len().min(20)].join("\n\n"));
}

#[test]
fn pairs_of_different_parts_are_named() {
    let parts: [&[&str]; 5] = [
        &["path_encoded_once", "path_encoded_twice", "trailing_slash_removed"],
        &["query_not_sorted", "query_left_out", "plus_as_plus"],
        &["header_as_sent", "space_after_colon", "header_left_out"],
        &["payload_unsigned", "empty_payload_hashed", "payload_hash_upper_case"],
        &["secret_with_line_feed", "key_of_another_day", "hash_upper_case"],
    ];
    let find = |name: &str| all().find(|(other, _)| *other == name).unwrap();
    let mut made = 0;
    for (case, wire) in cases().iter().step_by(7) {
        let job = Job::of(case, wire);
        let named = |deviate: &dyn Fn(&mut Job<'_>)| {
            let mut wrong = job.clone();
            deviate(&mut wrong);
            let arrived = with_signature(wire, &case.expect.signature, &wrong.signature());
            match diagnosed(&arrived, &case.credentials().unwrap()) {
                Diagnosis::Right => None,
                Diagnosis::Deviates { deviations, .. } => Some(deviations),
                other => panic!("{}: {other:?}", case.id),
            }
        };
        // The first of each part that changes anything, with what it is called alone.
        let usable =
            |part: &&[&str]| part.iter().map(|name| find(name).1).find_map(|deviate| Some((deviate, named(&deviate)?)));
        let usable: Vec<_> = parts.iter().filter_map(usable).collect();
        for (index, (one, one_name)) in usable.iter().enumerate() {
            for (other, other_name) in &usable[index + 1..] {
                let both = named(&|job: &mut Job<'_>| {
                    one(job);
                    other(job);
                });
                let expected = [one_name.as_slice(), other_name].concat();
                assert_eq!(both, Some(expected), "{}", case.id);
                made += 1;
            }
        }
    }
    println!("{made} pairs");
    assert!(made > 100, "{made}");
}

#[test]
fn pairs_of_the_same_part_are_named() {
    let named = |target: &str, query: &str, path: &str| {
        let signed = sign_with("execute-api", target, &[], |job| {
            job.1 = path.into();
            job.2 = query.into();
        });
        let diagnosis = diagnosed(&signed, &credentials());
        let Diagnosis::Deviates { deviations, .. } = diagnosis else { panic!("{diagnosis:?}") };
        names(&deviations)
    };
    assert_eq!(named("/a?c=1+2&b=x", "c=1+2&b=x", "/a"), ["query_as_sent"]);
    assert_eq!(named("/a?c=1%202&b=x", "c=1+2&b=x", "/a"), ["query_not_sorted", "space_as_plus"]);
    assert_eq!(named("/a?c=%2f&b=", "c=%2F&b", "/a"), ["query_not_sorted", "equals_sign_missing"]);
    assert_eq!(named("/a//b%20c", "", "/a//b%20c"), ["path_as_sent"]);
    assert_eq!(named("/a//b%20c%3a", "", "/a//b%20c%3A"), ["path_not_normalized", "path_encoded_once"]);
    assert_eq!(named("/a/b", "", "/a/b/"), ["trailing_slash_added"]);
}

#[test]
fn hosts_and_headers_that_were_signed_otherwise_are_named() {
    let headers: [(&str, &[u8]); 2] = [("Host", b"Example.COM"), ("x-unsigned", b" a  b ")];
    let named = |from: &str, to: &str| {
        let wire = sign_with("execute-api", "/a", &headers, |parts| parts.3 = parts.3.replace(from, to));
        let diagnosis = diagnosed(&wire, &credentials());
        let Diagnosis::Deviates { deviations, .. } = diagnosis else { panic!("{diagnosis:?}") };
        deviations
    };
    assert_eq!(named("Example.COM", "example.com"), [Deviation::HostInLowerCase]);
    let replaced = sign_with("execute-api", "/a", &headers, |parts| {
        let added = parts.3.replace("Z\n\nhost;x-amz-date", "Z\nx-unsigned:a b\n\nhost;x-amz-date;x-unsigned");
        parts.3 = added;
    });
    let Diagnosis::Deviates { deviations, .. } = diagnosed(&replaced, &credentials()) else { panic!() };
    assert_eq!(deviations, [Deviation::HeaderAdded { name: "x-unsigned".into() }]);
    assert_eq!(deviations[0].to_string(), "the header \"x-unsigned\" was signed but is not listed as signed");
}

/// Signs a request of our own, of which method, path, query and headers were changed by a wrong signer.
fn sign_with(
    service: &str,
    target: &str,
    headers: &[(&str, &[u8])],
    deviate: impl Fn(&mut (String, String, String, String)),
) -> Wire {
    let request = Request::new("GET", target, headers).with_host(HOST);
    let signed = signer(service).sign(request, countersign::Payload::EMPTY, now()).unwrap();
    let text = signed.canonical_request().raw().to_string();
    let mut lines = text.splitn(4, '\n').map(String::from);
    let mut next = || lines.next().unwrap();
    let mut parts = (next(), next(), next(), next());
    deviate(&mut parts);
    let (method, path, query, rest) = parts;
    let canonical = format!("{method}\n{path}\n{query}\n{rest}");
    let time = now().to_string();
    let wrong = naive::signature(SECRET, &time, "us-east-1", service, canonical.as_bytes());
    let mut wire = Wire {
        method: "GET".into(),
        scheme: "https".into(),
        authority: HOST.into(),
        target: target.into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), value.to_vec())).collect(),
        body: Vec::new(),
    };
    let right = signed.signature().to_hex();
    for (name, value) in signed.headers() {
        wire.set_header(name, value.replace(&right, &wrong).as_bytes());
    }
    wire
}

#[test]
fn right_signatures_are_right() {
    for (case, wire) in cases() {
        assert_eq!(diagnosed(&wire, &case.credentials().unwrap()), Diagnosis::Right, "{}", case.id);
    }
}

#[test]
fn random_signatures_and_unknown_secrets_are_not_known() {
    let mut random = Random(14);
    for (case, wire) in cases().iter().step_by(20) {
        let digits: String = (0..64).map(|_| random.pick(&["0", "3", "7", "a", "f"]).to_owned()).collect();
        let arrived = with_signature(wire, &case.expect.signature, &digits);
        let diagnosis = diagnosed(&arrived, &case.credentials().unwrap());
        assert!(matches!(diagnosis, Diagnosis::Unknown { body_needed: false, tried: 100.. }), "{diagnosis:?}");
        let known = case.credentials().unwrap();
        let other = Credentials::new(known.access_key_id(), "another secret".replace(' ', "-")).unwrap();
        let diagnosis = diagnosed(wire, &other);
        assert!(matches!(diagnosis, Diagnosis::Unknown { .. }), "{diagnosis:?}");
        assert!(diagnosis.to_string().starts_with("no known deviation"), "{diagnosis}");
    }
}

#[test]
fn what_is_no_signature_of_this_key_is_refused() {
    let unsigned = Request::new("GET", "/", &[]).with_host(HOST);
    let refused = |request: Request<'_>, credentials: &Credentials| match deviations(request, None, credentials) {
        Diagnosis::Refused(error) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(unsigned, &credentials()), VerifyError::MissingAuthentication);
    let wire = sign_with("execute-api", "/", &[], |_| ());
    let other = wire.with_view(|request| refused(request, &temporary()));
    assert_eq!(other, VerifyError::UnknownAccessKey { access_key_id: "AKIDEXAMPLE".into() });
    let mut absent = wire.clone();
    absent.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).for_each(|(_, value)| {
        *value = String::from_utf8_lossy(value).replace("SignedHeaders=host", "SignedHeaders=accept;host").into();
    });
    let error = absent.with_view(|request| refused(request, &credentials()));
    assert_eq!(error, VerifyError::SignedHeaderAbsent { name: "accept".into() });
    let long = format!("/{}", "a".repeat(70_000));
    let too_long = Request::new("GET", &long, &[]).with_host(HOST);
    assert!(matches!(refused(too_long, &credentials()), VerifyError::Request(_)));
}

#[test]
fn a_body_that_is_not_known_is_asked_for() {
    let request = Request::new("POST", "/dev?b=2&a=1", &[]).with_host(HOST);
    let of = |body: &[u8], service| {
        let signed = signer(service).sign(request, countersign::Payload::Bytes(body), now()).unwrap();
        let added = crate::support::fixtures::added(&signed);
        let headers = views(&added);
        deviations(Request::new("POST", "/dev?b=2&a=1", &headers).with_host(HOST), None, &credentials())
    };
    assert_eq!(of(b"", "execute-api"), Diagnosis::Right);
    let unknown = of(b"{}", "execute-api");
    assert!(matches!(unknown, Diagnosis::Unknown { body_needed: true, .. }), "{unknown:?}");
    assert!(unknown.to_string().contains("the body is needed"));
    // The hash is sent.
    assert_eq!(of(b"{}", "s3"), Diagnosis::Right);
}

#[test]
fn a_hash_of_another_body_is_named() {
    let request = Request::new("PUT", "/key", &[]).with_host(HOST);
    let signed = signer("s3").sign(request, countersign::Payload::Bytes(b"one"), now()).unwrap();
    let added = crate::support::fixtures::added(&signed);
    let headers = views(&added);
    let diagnosis = deviations(Request::new("PUT", "/key", &headers).with_host(HOST), Some(b"other"), &credentials());
    let Diagnosis::Deviates { deviations, .. } = diagnosis else { panic!("{diagnosis:?}") };
    assert_eq!(deviations, [Deviation::ContentSha256Wrong]);
}

#[test]
fn headers_with_secrets_stay_secret() {
    let signer = Signer::new(temporary(), "us-east-1", "execute-api").unwrap();
    let mut request = http::Request::get(format!("https://{HOST}/dev?b=2&a=1")).body("").unwrap();
    signer.sign_http(&mut request, now()).unwrap();
    let known = temporary();
    let other = Credentials::new(known.access_key_id(), SECRET).unwrap().with_session_token(TOKEN).unwrap();
    for credentials in [&known, &other] {
        let diagnosis = deviations(&request, Some(b""), credentials);
        let shown = format!("{diagnosis:?} {diagnosis}");
        for secret in [TOKEN, SECRET, crate::support::fixtures::TEMPORARY_SECRET] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

fn check_words(deviation: &Deviation) {
    let (name, sentence, fix) = (deviation.name(), deviation.to_string(), deviation.fix());
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{name}");
    assert!(!sentence.contains("{}") && !sentence.ends_with('.') && fix.ends_with('.'), "{sentence} {fix}");
}

/// `cargo test --release --test it deviations_take -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn deviations_take() {
    let measure = |name: &str, target: &str, headers: &[(&str, &[u8])], body: usize| {
        let mut wire = sign_with("execute-api", target, headers, |parts| parts.0 = "OTHER".into());
        wire.body = vec![b'x'; body];
        let start = std::time::Instant::now();
        let runs = 20;
        for _ in 0..runs {
            let diagnosis = diagnosed(&wire, &credentials());
            assert!(matches!(diagnosis, Diagnosis::Unknown { .. }), "{diagnosis:?}");
        }
        let taken = start.elapsed() / runs;
        println!("{name}: {taken:?}, {:?}", diagnosed(&wire, &credentials()));
    };
    measure("small", "/dev/items", &[], 0);
    let headers: [(&str, &[u8]); 6] = [
        ("Content-Type", b"application/json; charset=utf-8"),
        ("Accept", b"application/json"),
        ("X-Amz-Target", b"  DynamoDB_20120810.GetItem  "),
        ("X-Amz-Meta-One", b"a   b"),
        ("X-Amz-Meta-Two", b"x"),
        ("X-Amz-Meta-Two", b"y"),
    ];
    measure("typical", "/dev//get%20list/~user!?limit=25&b=x+y&a%2f=%7E&a-b=1&c&c=2", &headers, 2000);
    let pairs: Vec<String> = (0..90).map(|n| format!("parameter{:02}=value%20{n}+{n}!~", 99 - n)).collect();
    measure("2 KiB of query", &format!("/dev/list?{}", pairs.join("&")), &headers, 2000);
    let pairs: Vec<String> =
        (0..1000).map(|n| format!("parameter{:04}=value%20{n}+{n}!~and%2fso%2Fon%20and%20so%20on", 9999 - n)).collect();
    let names: Vec<String> = (0..1000).map(|n| format!("x-amz-meta-{n}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"a   value".as_slice())).collect();
    measure("largest", &format!("/dev//list?{}", pairs.join("&")), &many, 1 << 20);
}
