//! What signers get wrong.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A mistake that a signer makes. [`deviations`](super::deviations) finds which one produces a signature.
///
/// Prints as one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deviation {
    /// The path was encoded once for a service that expects it encoded twice.
    PathEncodedOnce,
    /// The path was encoded twice for a service that expects it encoded once.
    PathEncodedTwice,
    /// The path was encoded three times.
    PathEncodedThreeTimes,
    /// The path was signed without any encoding.
    PathNotEncoded,
    /// The path was signed exactly as it stands in the request line.
    PathAsSent,
    /// Dot segments or empty segments were left in the path.
    PathNotNormalized,
    /// Dot segments or empty segments were removed from the path of a service that keeps them.
    PathNormalized,
    /// The path was signed as an empty line.
    PathEmpty,
    /// The slash at the end of the path was removed.
    TrailingSlashRemoved,
    /// A slash was added at the end of the path.
    TrailingSlashAdded,
    /// The first segment of the path, e.g. a stage or a bucket, was not signed.
    PathPrefixRemoved {
        /// The first segment, e.g. `/dev`.
        prefix: String,
    },
    /// The slashes between the segments were encoded.
    PathSlashesEncoded,
    /// An encoded slash of the path was signed as a slash.
    EncodedSlashDecoded,
    /// An encoded slash of the path stayed encoded for a service that reads it as a slash.
    EncodedSlashKept,
    /// A plus in the path was signed as a space.
    PathPlusAsSpace,
    /// A space was written as `+`.
    SpaceAsPlus,
    /// Escapes were written in lower case.
    LowerCaseEscapes,
    /// Reserved characters were not encoded.
    ReservedNotEncoded,
    /// The tilde was encoded.
    TildeEncoded,
    /// The query parameters were not sorted.
    QueryNotSorted,
    /// The query parameters were sorted as joined `name=value` texts.
    QuerySortedAsText,
    /// The query parameters were sorted before they were encoded.
    QuerySortedBeforeEncoding,
    /// Parameters of the same name were not sorted by value.
    QueryValuesNotSorted,
    /// The query parameters were sorted without regard to case.
    QuerySortedIgnoringCase,
    /// A `+` of the query was signed as a plus.
    PlusAsPlus,
    /// The query was signed without any encoding.
    QueryNotEncoded,
    /// The query was signed exactly as it stands in the request line.
    QueryAsSent,
    /// The query was encoded twice.
    QueryEncodedTwice,
    /// The query was decoded twice before it was encoded.
    QueryDecodedTwice,
    /// A parameter without a value was signed without `=`.
    EqualsSignMissing,
    /// Parameters without a value were not signed.
    EmptyParameterLeftOut,
    /// Of parameters with the same name only one was signed.
    RepeatedParameterLeftOut,
    /// The query was not signed.
    QueryLeftOut,
    /// The session token was not signed.
    TokenNotSigned,
    /// The session token was signed for a service that expects it to be added after signing.
    TokenSigned,
    /// Spaces around header values were kept.
    HeaderNotTrimmed {
        /// The headers.
        names: Vec<String>,
    },
    /// Header values were signed as they were sent, neither trimmed nor folded.
    HeaderAsSent {
        /// The headers.
        names: Vec<String>,
    },
    /// Runs of spaces inside header values were kept.
    HeaderNotFolded {
        /// The headers.
        names: Vec<String>,
    },
    /// Runs of spaces inside quotes were kept.
    QuotedSpacesKept {
        /// The headers.
        names: Vec<String>,
    },
    /// A space was written after the colon of each header.
    SpaceAfterColon,
    /// The values of a repeated header were on lines of their own.
    RepeatsNotJoined {
        /// The headers.
        names: Vec<String>,
    },
    /// Of a repeated header only the last value was signed.
    RepeatsLastAlone {
        /// The headers.
        names: Vec<String>,
    },
    /// Of a repeated header only the first value was signed.
    RepeatsFirstAlone {
        /// The headers.
        names: Vec<String>,
    },
    /// The values of a repeated header were joined with a comma and a space.
    RepeatsJoinedWithSpace {
        /// The headers.
        names: Vec<String>,
    },
    /// The values of a repeated header were sorted.
    RepeatsSorted {
        /// The headers.
        names: Vec<String>,
    },
    /// The headers were not sorted by name.
    HeadersNotSorted,
    /// The headers were sorted as joined `name:value` lines.
    HeadersSortedAsLines,
    /// Header names were not written in lower case.
    HeaderNamesNotLowerCase,
    /// A header was not signed that is listed as signed.
    HeaderLeftOut {
        /// The header.
        name: String,
    },
    /// A header was signed that is not listed as signed.
    HeaderAdded {
        /// The header.
        name: String,
    },
    /// The host was signed with a port that was not sent.
    HostWithPort {
        /// The port.
        port: &'static str,
    },
    /// The host was signed without the port that was sent.
    HostWithoutPort,
    /// The host was signed in lower case and sent in another case.
    HostInLowerCase,
    /// The content type was signed without its parameters.
    ContentTypeWithoutParameters,
    /// The empty line between the headers and their list was missing.
    EmptyLineMissing,
    /// The canonical request ended in a line feed.
    CanonicalRequestLineFeed,
    /// Lines ended in `CRLF`.
    CrLf,
    /// The method was signed in another case.
    MethodCase,
    /// The hash of the body was signed where the request says otherwise.
    PayloadHashed,
    /// The hash of an empty body was signed.
    EmptyPayloadHashed,
    /// `UNSIGNED-PAYLOAD` was signed in place of a hash.
    PayloadUnsigned,
    /// The payload line was empty.
    PayloadLineEmpty,
    /// The hash of the body was written in upper case.
    PayloadHashUpperCase,
    /// The hash of the body was hashed again.
    PayloadHashedTwice,
    /// The body itself was signed in place of its hash.
    PayloadNotHashed,
    /// The body that was hashed had a line feed at its end that was not sent.
    BodyLineFeedAdded,
    /// The body that was hashed had no line feed at its end.
    BodyLineFeedRemoved,
    /// `x-amz-content-sha256`, which was signed, is not the hash of this body.
    ContentSha256Wrong,
    /// The secret had a line feed at its end.
    SecretWithLineFeed,
    /// The secret had a space around it.
    SecretWithSpace,
    /// The secret was in quotes.
    SecretInQuotes,
    /// The secret was percent-encoded, or a plus in it was read as a space.
    SecretEncoded,
    /// An empty secret was used, or a word for nothing.
    SecretMissing,
    /// The secret was used without `AWS4` before it.
    SecretWithoutPrefix,
    /// The steps of the key derivation were keyed with hexadecimal digits.
    KeyInHex,
    /// The last step of the key derivation was missing.
    KeyWithoutTerminator,
    /// The secret was used as the signing key.
    KeyNotDerived,
    /// The signing key was one of another day.
    KeyOfAnotherDay {
        /// Days from the date of the scope.
        days: i32,
    },
    /// The scope in the string to sign was one of another day.
    ScopeOfAnotherDay {
        /// Days from the date of the scope that was sent.
        days: i32,
    },
    /// The string to sign had a local time.
    LocalTime {
        /// Minutes from the time that was sent to the one that was signed.
        offset_minutes: i32,
    },
    /// The string to sign had a time some seconds off the one that was sent.
    TimeReadTwice {
        /// Seconds from the time that was sent to the one that was signed.
        seconds: i32,
    },
    /// The time in the string to sign was in another format.
    TimeFormat,
    /// The signature was made for another region than the one that was sent.
    OtherRegion {
        /// The region that was used.
        region: String,
    },
    /// The signature was made for another service than the one that was sent.
    OtherService {
        /// The service that was used.
        service: String,
    },
    /// Region and service were swapped.
    RegionAndServiceSwapped,
    /// The hash of the canonical request was written in upper case.
    HashUpperCase,
    /// The canonical request itself was in the string to sign.
    CanonicalRequestNotHashed,
    /// The string to sign ended in a line feed.
    StringToSignLineFeed,
}

impl Deviation {
    /// A name for programs, which stays the same: `query_not_sorted`.
    pub fn name(&self) -> &'static str {
        self.row().0
    }

    /// How to fix it, in a sentence or two.
    pub fn fix(&self) -> &'static str {
        self.row().2
    }

    /// Name, sentence and fix. In the sentence, `{}` stands for the field.
    fn row(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::PathEncodedOnce => (
                "path_encoded_once",
                "the path was encoded once, and this service expects it encoded twice",
                "Encode the path of the request line once more, segment by segment, for the canonical request; only S3 takes it encoded once.",
            ),
            Self::PathEncodedTwice => (
                "path_encoded_twice",
                "the path was encoded twice, and this service expects it encoded once",
                "Sign the path encoded once for S3: decode the path of the request line and encode it once.",
            ),
            Self::PathEncodedThreeTimes => (
                "path_encoded_three_times",
                "the path was encoded three times",
                "Encode the path once for the request line and once more for the canonical request; don't pass an encoded path to a client that encodes it.",
            ),
            Self::PathNotEncoded => (
                "path_not_encoded",
                "the path was not encoded",
                "Encode the path before it is signed: everything but A-Z, a-z, 0-9 and -._~/ becomes %XX.",
            ),
            Self::PathAsSent => (
                "path_as_sent",
                "the path was signed exactly as it was sent",
                "Build the canonical path from the path of the request line by the rules of the service, instead of copying it.",
            ),
            Self::PathNotNormalized => (
                "path_not_normalized",
                "the path was not normalized",
                "Remove dot segments and double slashes from the path before it is signed; only S3 keeps them.",
            ),
            Self::PathNormalized => (
                "path_normalized",
                "the path was normalized, and this service keeps dot segments and double slashes",
                "Sign the path without removing dot segments or double slashes: in S3 they are part of the key.",
            ),
            Self::PathEmpty => {
                ("path_empty", "the path was empty instead of /", "Sign an empty path as a single slash.")
            }
            Self::TrailingSlashRemoved => (
                "trailing_slash_removed",
                "the slash at the end of the path was removed",
                "Keep the slash at the end of the path when it is signed.",
            ),
            Self::TrailingSlashAdded => (
                "trailing_slash_added",
                "a slash was added at the end of the path",
                "Sign the path without a slash that is not sent.",
            ),
            Self::PathPrefixRemoved { .. } => (
                "path_prefix_removed",
                "the path was signed without its first segment {}",
                "Sign the whole path that is sent, with the stage, the base path or the bucket.",
            ),
            Self::PathSlashesEncoded => (
                "path_slashes_encoded",
                "the slashes between the path segments were encoded",
                "Encode each segment of the path by itself and keep the slashes between them.",
            ),
            Self::EncodedSlashDecoded => (
                "encoded_slash_decoded",
                "an encoded slash (%2F) in the path was signed as a slash",
                "Encode the path as it was sent, where %2F becomes %252F; don't decode it first.",
            ),
            Self::EncodedSlashKept => (
                "encoded_slash_kept",
                "an encoded slash (%2F) in the path stayed encoded, and this service reads it as a slash",
                "Sign %2F in the path of an S3 request as a slash, or send a slash.",
            ),
            Self::PathPlusAsSpace => (
                "path_plus_as_space",
                "a plus in the path was signed as a space",
                "Send a plus in a path as %2B and a space as %20, so that all sides read the same.",
            ),
            Self::SpaceAsPlus => (
                "space_as_plus",
                "a space was written as + instead of %20",
                "Encode a space as %20; form encoding, which writes +, is not the encoding that is signed.",
            ),
            Self::LowerCaseEscapes => (
                "lower_case_escapes",
                "escapes were written in lower case, as in %2f",
                "Write escapes in upper case, as in %2F.",
            ),
            Self::ReservedNotEncoded => (
                "reserved_not_encoded",
                "reserved characters such as !'()*+ were not encoded",
                "Encode everything but A-Z, a-z, 0-9 and -._~ when it is signed; encodeURIComponent and URL libraries leave more characters as they are.",
            ),
            Self::TildeEncoded => ("tilde_encoded", "the tilde was encoded as %7E", "Leave ~ as it is."),
            Self::QueryNotSorted => (
                "query_not_sorted",
                "the query parameters were not sorted",
                "Sort the query parameters by name, then by value, after they are encoded.",
            ),
            Self::QuerySortedAsText => (
                "query_sorted_as_text",
                "the query parameters were sorted as joined name=value texts",
                "Sort the query parameters by name first and only then by value: joined texts put a-b= before a=.",
            ),
            Self::QuerySortedBeforeEncoding => (
                "query_sorted_before_encoding",
                "the query parameters were sorted before they were encoded",
                "Encode names and values first, then sort them.",
            ),
            Self::QueryValuesNotSorted => (
                "query_values_not_sorted",
                "query parameters of the same name were not sorted by value",
                "Sort query parameters of the same name by their encoded values.",
            ),
            Self::QuerySortedIgnoringCase => (
                "query_sorted_ignoring_case",
                "the query parameters were sorted without regard to case",
                "Sort the query parameters by their bytes: upper case comes before lower case.",
            ),
            Self::PlusAsPlus => (
                "plus_as_plus",
                "a + in the query was signed as a plus (%2B), and it stands for a space",
                "Send a plus in a query as %2B and a space as %20; a raw + is read as a space.",
            ),
            Self::QueryNotEncoded => (
                "query_not_encoded",
                "the query parameters were not encoded",
                "Encode the names and values of the query before they are signed.",
            ),
            Self::QueryAsSent => (
                "query_as_sent",
                "the query was signed exactly as it was sent",
                "Decode the names and values of the query, encode them once, and sort them, instead of copying the query.",
            ),
            Self::QueryEncodedTwice => (
                "query_encoded_twice",
                "the query parameters were encoded twice",
                "Encode the names and values of the query once, unlike the path.",
            ),
            Self::QueryDecodedTwice => (
                "query_decoded_twice",
                "the query parameters were decoded twice",
                "Decode each name and value of the query once: %252F is %2F, and %2B is a plus.",
            ),
            Self::EqualsSignMissing => (
                "equals_sign_missing",
                "a query parameter without a value was signed without an equals sign",
                "Sign a parameter without a value as name= with an equals sign.",
            ),
            Self::EmptyParameterLeftOut => (
                "empty_parameter_left_out",
                "query parameters without a value were left out",
                "Sign parameters without a value, too, as name=.",
            ),
            Self::RepeatedParameterLeftOut => (
                "repeated_parameter_left_out",
                "only one of the query parameters with the same name was signed",
                "Sign every query parameter, also those whose names appear more than once; don't keep them in a map.",
            ),
            Self::QueryLeftOut => {
                ("query_left_out", "the query was left out", "Sign the query: the third line of the canonical request.")
            }
            Self::TokenNotSigned => (
                "token_not_signed",
                "the session token was not signed",
                "Add the session token to the request before it is signed.",
            ),
            Self::TokenSigned => (
                "token_signed",
                "the session token was signed, and this service expects it to be added after signing",
                "Sign the request first and add the session token to the query afterwards.",
            ),
            Self::HeaderNotTrimmed { .. } => (
                "header_not_trimmed",
                "spaces around header values were not removed: {}",
                "Remove spaces at both ends of header values before they are signed.",
            ),
            Self::HeaderAsSent { .. } => (
                "header_as_sent",
                "header values were signed as they were sent, with all their spaces: {}",
                "Remove spaces at both ends of header values, and replace each run of spaces inside with one.",
            ),
            Self::HeaderNotFolded { .. } => (
                "header_not_folded",
                "runs of spaces inside header values were not folded: {}",
                "Replace each run of spaces inside a header value with one space before it is signed.",
            ),
            Self::QuotedSpacesKept { .. } => (
                "quoted_spaces_kept",
                "runs of spaces inside quotes were not folded: {}",
                "Fold runs of spaces in header values inside quotes, too.",
            ),
            Self::SpaceAfterColon => (
                "space_after_colon",
                "a space was written after the colon of each header",
                "Write name:value without a space in the canonical request.",
            ),
            Self::RepeatsNotJoined { .. } => (
                "repeats_not_joined",
                "the values of repeated headers were not joined: {}",
                "Write one line for each header name, with the values joined by commas in the order received.",
            ),
            Self::RepeatsLastAlone { .. } => (
                "repeats_last_alone",
                "only the last value of repeated headers was signed: {}",
                "Sign all values of a header, joined by commas in the order received.",
            ),
            Self::RepeatsFirstAlone { .. } => (
                "repeats_first_alone",
                "only the first value of repeated headers was signed: {}",
                "Sign all values of a header, joined by commas in the order received.",
            ),
            Self::RepeatsJoinedWithSpace { .. } => (
                "repeats_joined_with_space",
                "the values of repeated headers were joined with a comma and a space: {}",
                "Join the values of a repeated header with a comma alone.",
            ),
            Self::RepeatsSorted { .. } => (
                "repeats_sorted",
                "the values of repeated headers were sorted: {}",
                "Join the values of a repeated header in the order in which they are sent.",
            ),
            Self::HeadersNotSorted => (
                "headers_not_sorted",
                "the headers were not sorted",
                "Sort the header lines and the list of signed headers by lower-case name.",
            ),
            Self::HeadersSortedAsLines => (
                "headers_sorted_as_lines",
                "the headers were sorted as joined name:value lines",
                "Sort the headers by name alone: whole lines put a-b: before a:.",
            ),
            Self::HeaderNamesNotLowerCase => (
                "header_names_not_lower_case",
                "header names were not written in lower case",
                "Write header names in lower case in the canonical request.",
            ),
            Self::HeaderLeftOut { .. } => (
                "header_left_out",
                "the header {} is listed as signed but was left out of what was signed",
                "Build the canonical headers and SignedHeaders from the same list, after the last header is added.",
            ),
            Self::HeaderAdded { .. } => (
                "header_added",
                "the header {} was signed but is not listed as signed",
                "List every signed header in SignedHeaders.",
            ),
            Self::HostWithPort { .. } => (
                "host_with_port",
                "the host was signed with the port {}, which was not sent",
                "Sign the host as it is sent; HTTP clients leave out the default port.",
            ),
            Self::HostWithoutPort => (
                "host_without_port",
                "the host was signed without its port",
                "Sign the host with the port, as it is sent.",
            ),
            Self::HostInLowerCase => (
                "host_in_lower_case",
                "the host was signed in lower case but sent in another case",
                "Send the host in lower case.",
            ),
            Self::ContentTypeWithoutParameters => (
                "content_type_without_parameters",
                "the content type was signed without its parameters, e.g. charset",
                "Sign the content type with everything that the client sends; some clients add a charset afterwards.",
            ),
            Self::EmptyLineMissing => (
                "empty_line_missing",
                "the empty line after the headers was missing",
                "End every header line with a line feed and write an empty line before the signed headers.",
            ),
            Self::CanonicalRequestLineFeed => (
                "canonical_request_line_feed",
                "the canonical request ended in a line feed",
                "End the canonical request with the payload hash, without a line feed.",
            ),
            Self::CrLf => (
                "cr_lf",
                "lines ended in CRLF instead of a line feed",
                "End lines with a line feed alone in the canonical request and the string to sign.",
            ),
            Self::MethodCase => (
                "method_case",
                "the method was signed in another case than it was sent",
                "Sign the method exactly as it is sent.",
            ),
            Self::PayloadHashed => (
                "payload_hashed",
                "the hash of the body was signed instead of what x-amz-content-sha256 or the service says",
                "Sign the same value that is sent as x-amz-content-sha256; a presigned S3 URL signs UNSIGNED-PAYLOAD.",
            ),
            Self::EmptyPayloadHashed => {
                ("empty_payload_hashed", "the hash of an empty body was signed", "Hash the body that is sent.")
            }
            Self::PayloadUnsigned => (
                "payload_unsigned",
                "UNSIGNED-PAYLOAD was signed in place of the hash of the body",
                "Sign the hash of the body, or send x-amz-content-sha256: UNSIGNED-PAYLOAD where the service accepts it.",
            ),
            Self::PayloadLineEmpty => (
                "payload_line_empty",
                "the line of the payload hash was empty",
                "Sign the hash of the body; without a body, the hash of an empty text.",
            ),
            Self::PayloadHashUpperCase => (
                "payload_hash_upper_case",
                "the hash of the body was written in upper case",
                "Write the hash of the body in lower case.",
            ),
            Self::PayloadHashedTwice => {
                ("payload_hashed_twice", "the hash of the body was hashed again", "Hash the body once.")
            }
            Self::PayloadNotHashed => (
                "payload_not_hashed",
                "the body itself was written in place of its hash",
                "Sign the SHA-256 of the body in hexadecimal digits.",
            ),
            Self::BodyLineFeedAdded => (
                "body_line_feed_added",
                "the body was hashed with a line feed at its end that was not sent",
                "Hash exactly the bytes that are sent.",
            ),
            Self::BodyLineFeedRemoved => (
                "body_line_feed_removed",
                "the body was hashed without the line feed at its end",
                "Hash exactly the bytes that are sent.",
            ),
            Self::ContentSha256Wrong => (
                "content_sha256_wrong",
                "x-amz-content-sha256 was signed but is not the hash of this body",
                "Hash exactly the bytes that are sent, after any compression or re-serialization.",
            ),
            Self::SecretWithLineFeed => (
                "secret_with_line_feed",
                "the secret access key had a line feed at its end",
                "Trim the secret after it is read from a file or a command.",
            ),
            Self::SecretWithSpace => (
                "secret_with_space",
                "the secret access key had a space at its start or end",
                "Trim the secret after it is read or copied.",
            ),
            Self::SecretInQuotes => (
                "secret_in_quotes",
                "the secret access key was in quotes",
                "Remove the quotes around the secret; some environment files keep them.",
            ),
            Self::SecretEncoded => (
                "secret_encoded",
                "the secret access key was percent-encoded or form-decoded",
                "Use the secret as it was issued; don't pass it through a URL.",
            ),
            Self::SecretMissing => (
                "secret_missing",
                "the secret access key was empty, or a word such as undefined",
                "Check that the secret is set where the signer runs.",
            ),
            Self::SecretWithoutPrefix => (
                "secret_without_prefix",
                "the signing key was derived from the secret without the prefix AWS4",
                "Begin the derivation of the signing key with AWS4 followed by the secret.",
            ),
            Self::KeyInHex => (
                "key_in_hex",
                "the signing key was derived with hexadecimal digits instead of bytes",
                "Use the bytes of each HMAC as the key of the next; only the signature is written in hexadecimal digits.",
            ),
            Self::KeyWithoutTerminator => (
                "key_without_terminator",
                "the signing key was derived without its last step, aws4_request",
                "Derive the signing key in four steps: date, region, service, aws4_request.",
            ),
            Self::KeyNotDerived => (
                "key_not_derived",
                "the secret was used as the signing key",
                "Derive the signing key in four steps: date, region, service, aws4_request.",
            ),
            Self::KeyOfAnotherDay { .. } => (
                "key_of_another_day",
                "the signing key was one of another day ({})",
                "Derive a signing key for each date in UTC; a cached key is valid for one day.",
            ),
            Self::ScopeOfAnotherDay { .. } => (
                "scope_of_another_day",
                "the scope that was signed had another date than the one that was sent ({})",
                "Read the clock once, in UTC, and use that time everywhere.",
            ),
            Self::LocalTime { .. } => (
                "local_time",
                "the string to sign had a local time, {} from the time that was sent",
                "Use UTC for the time in the string to sign, the date of the scope and x-amz-date.",
            ),
            Self::TimeReadTwice { .. } => (
                "time_read_twice",
                "the string to sign had another time than the one that was sent ({})",
                "Read the clock once and use that time in the string to sign and in x-amz-date.",
            ),
            Self::TimeFormat => (
                "time_format",
                "the time in the string to sign was in another format",
                "Write the time in the string to sign as YYYYMMDDTHHMMSSZ.",
            ),
            Self::OtherRegion { .. } => (
                "other_region",
                "the region {} was used to sign, and another one was sent",
                "Use one region for the signing key, the string to sign and the credential.",
            ),
            Self::OtherService { .. } => (
                "other_service",
                "the service {} was used to sign, and another one was sent",
                "Use one service for the signing key, the string to sign and the credential.",
            ),
            Self::RegionAndServiceSwapped => (
                "region_and_service_swapped",
                "region and service were swapped",
                "Put the region before the service in the scope and in the derivation of the key.",
            ),
            Self::HashUpperCase => (
                "hash_upper_case",
                "the hash of the canonical request was written in upper case",
                "Write the hash of the canonical request in lower case.",
            ),
            Self::CanonicalRequestNotHashed => (
                "canonical_request_not_hashed",
                "the canonical request was not hashed",
                "Write the SHA-256 of the canonical request into the string to sign.",
            ),
            Self::StringToSignLineFeed => (
                "string_to_sign_line_feed",
                "the string to sign ended in a line feed",
                "End the string to sign with the hash, without a line feed.",
            ),
        }
    }

    /// What the sentence says of the field.
    fn field(&self) -> String {
        match self {
            Self::PathPrefixRemoved { prefix: text }
            | Self::HeaderLeftOut { name: text }
            | Self::HeaderAdded { name: text }
            | Self::OtherRegion { region: text }
            | Self::OtherService { service: text } => alloc::format!("{text:?}"),
            Self::HeaderNotTrimmed { names }
            | Self::HeaderAsSent { names }
            | Self::HeaderNotFolded { names }
            | Self::QuotedSpacesKept { names }
            | Self::RepeatsNotJoined { names }
            | Self::RepeatsLastAlone { names }
            | Self::RepeatsFirstAlone { names }
            | Self::RepeatsJoinedWithSpace { names }
            | Self::RepeatsSorted { names } => names.join(", "),
            Self::HostWithPort { port } => (*port).into(),
            Self::KeyOfAnotherDay { days: 1 | -1 } | Self::ScopeOfAnotherDay { days: 1 | -1 } => self.counted("day"),
            Self::KeyOfAnotherDay { .. } | Self::ScopeOfAnotherDay { .. } => self.counted("days"),
            Self::TimeReadTwice { seconds: 1 | -1 } => self.counted("second"),
            Self::TimeReadTwice { .. } => self.counted("seconds"),
            Self::LocalTime { offset_minutes } => {
                let sign = if *offset_minutes < 0 { '-' } else { '+' };
                let minutes = offset_minutes.unsigned_abs();
                alloc::format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            _ => String::new(),
        }
    }

    fn counted(&self, unit: &str) -> String {
        let (Self::KeyOfAnotherDay { days: count }
        | Self::ScopeOfAnotherDay { days: count }
        | Self::TimeReadTwice { seconds: count }) = self
        else {
            return String::new();
        };
        let side = if *count < 0 { "earlier" } else { "later" };
        alloc::format!("{} {unit} {side}", count.unsigned_abs())
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, sentence, _) = self.row();
        match sentence.split_once("{}") {
            Some((before, after)) => write!(f, "{before}{}{after}", self.field()),
            None => f.write_str(sentence),
        }
    }
}
