use alloc::vec::Vec;

use super::body::SignedPayload;
use super::error::VerifyError;
use super::in_query::HeadersInQuery;
use crate::hash::hex_of;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::{self, Claims, Location, MAX_AUTHORIZATION, X_AMZ_REGION_SET, X_AMZ_SIGNATURE};
use crate::sigv4::canonical_request::{Parts, QueryIndex, SignedHeaderList};
use crate::sigv4::payload::{PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::request::{Request, RequestError};
use crate::sigv4::rules::{Rules, SessionTokenName};
use crate::sigv4::timestamp::Timestamp;
use crate::text::wiped::Wiped;
use crate::text::{excerpt, is_digits, is_name};

/// The length of the longest usual payload line, a hash.
const MOST_PAYLOAD_LINE: usize = 64;

/// What a request claims about its signature. Nothing here is verified: all of it may be forged.
#[derive(Clone)]
pub(crate) struct Presented<'a> {
    pub(super) request: Request<'a>,
    pub(crate) claims: Claims<'a>,
    pub(crate) timestamp: Timestamp,
    /// In seconds.
    pub(super) expires_in: Option<u64>,
    /// The meaning of `x-amz-content-sha256`, if the request has one.
    signed_payload: Option<SignedPayload>,
    /// The value of the `Host` header without surrounding whitespace.
    pub(super) host_header: Option<&'a [u8]>,
    pub(super) has_connection: bool,
    /// The request has both a presigned query and an `Authorization` header of another scheme.
    pub(super) foreign_authorization: bool,
}

impl<'a> Presented<'a> {
    /// Parses the `Authorization` header or the presigned query of a request: checks 1 to 8 of
    /// [`Verifier`](crate::Verifier).
    pub(crate) fn parse(request: Request<'a>) -> Result<Self, VerifyError> {
        Self::parse_with(request, &mut QueryIndex::new())
    }

    /// [`Presented::parse`], which reads the query of the request into `index`.
    #[inline(always)]
    pub(super) fn parse_with(request: Request<'a>, index: &mut QueryIndex<'a>) -> Result<Self, VerifyError> {
        let mut claims = Claims::new();
        request.check()?;
        let headers = AuthHeaders::find(&request)?;
        let (_, query) = request.path_and_query();
        index.read(query);
        let Values { timestamp, expires_in, signed_payload } = headers.read(&request, index, &mut claims)?;
        let foreign_authorization = claims.location == Location::Query && headers.authorization.is_some();
        let AuthHeaders { host: host_header, has_connection, .. } = headers;
        Ok(Self {
            request,
            claims,
            timestamp,
            expires_in,
            signed_payload,
            host_header,
            has_connection,
            foreign_authorization,
        })
    }

    pub(crate) fn is_presigned(&self) -> bool {
        self.claims.location == Location::Query
    }

    /// The host to verify if no external hosts are set: the one that was sent, which is not checked.
    pub(super) fn given_host(&self) -> &'a [u8] {
        self.request.given_host(self.host_header)
    }

    /// Returns the canonical request that a signer computes for this request, by the rules of the service in its scope;
    /// empty if there is no host. `unknown_body` is the payload hash to use if the request gives none.
    pub(crate) fn canonical_request(&self, unknown_body: &[u8; 32]) -> Wiped<Vec<u8>> {
        let mut out = self.new_buffer();
        let Ok(host) = self.request.host() else { return out };
        let rules = Rules::for_service(self.claims.service());
        let mut headers = SignedHeaderList::new();
        headers.push("host", host);
        let is_signed = |name: &str| self.claims.signed_header_names().any(|signed| signed.eq_ignore_ascii_case(name));
        let others = self.request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host"));
        others.filter(|(name, _)| is_signed(name)).for_each(|(name, value)| headers.push(name, value));
        headers.sort();
        let in_query = HeadersInQuery::find(self, &rules, &headers).unwrap_or_default();
        let headers = in_query.added_to(&headers);
        let payload = match self.content_sha256() {
            Some((text, _)) => PayloadLine::Text(text),
            None if self.is_presigned() && rules.presign_unsigned_payload => PayloadLine::Text(UNSIGNED_PAYLOAD),
            None => PayloadLine::Sha256(hex_of(*unknown_body)),
        };
        self.canonical_parts(&rules, &headers, payload).assemble(&mut out, 0);
        out
    }

    /// Returns the parts of the canonical request.
    pub(crate) fn canonical_parts<'p>(
        &'p self,
        rules: &'p Rules,
        headers: &'p SignedHeaderList<'p>,
        payload: PayloadLine<'p>,
    ) -> Parts<'p> {
        let (path, query) = self.request.path_and_query();
        let left_out = unsigned_parameters(self.claims.location, rules);
        Parts {
            method: self.request.method,
            path,
            query,
            is_query_canonical: false,
            left_out,
            rules,
            headers,
            signed_headers: None,
            payload,
        }
    }

    /// Returns the canonical request up to the payload line. `headers` are those that are signed and arrived.
    pub(super) fn canonical_start(
        &self,
        rules: &Rules,
        headers: &SignedHeaderList<'_>,
        in_query: &HeadersInQuery,
        index: &mut QueryIndex<'_>,
    ) -> Wiped<Vec<u8>> {
        let with_those_in_query;
        let headers = if in_query.is_empty() {
            headers
        } else {
            with_those_in_query = in_query.added_to(headers);
            &with_those_in_query
        };
        // Each of them was found among the headers, and nothing else was collected.
        let signed_headers = Some(self.claims.signed_headers());
        let parts = Parts { signed_headers, ..self.canonical_parts(rules, headers, PayloadLine::Text("")) };
        let mut start = self.new_buffer();
        parts.assemble_up_to_payload(&mut start, MOST_PAYLOAD_LINE, index);
        start
    }

    /// Returns a buffer for canonical requests, which is wiped when dropped if they contain a session token.
    pub(super) fn new_buffer(&self) -> Wiped<Vec<u8>> {
        Wiped::new(Vec::new(), self.claims.has_session_token())
    }

    /// Returns the value that describes the body, as sent, and its meaning.
    pub(super) fn content_sha256(&self) -> Option<(&str, SignedPayload)> {
        self.claims.content_sha256().zip(self.signed_payload)
    }
}

/// The query parameters that are not signed. Only presigned queries have any: in other requests, anyone could append
/// them.
pub(super) fn unsigned_parameters(location: Location, rules: &Rules) -> &'static [&'static str] {
    match (location, rules.sign_session_token, rules.session_token) {
        (Location::Query, true, _) => &[X_AMZ_SIGNATURE],
        (Location::Query, false, SessionTokenName::SecurityToken) => {
            const { &[X_AMZ_SIGNATURE, SessionTokenName::SecurityToken.query()] }
        }
        (Location::Query, false, SessionTokenName::S3SessionToken) => {
            const { &[X_AMZ_SIGNATURE, SessionTokenName::S3SessionToken.query()] }
        }
        (Location::Header | Location::Form, ..) => &[],
    }
}

/// What [`Presented`] has besides the claims.
struct Values {
    timestamp: Timestamp,
    expires_in: Option<u64>,
    signed_payload: Option<SignedPayload>,
}

/// The headers that describe a signature, and the host. Each may appear only once, since the verifier and the application might
/// otherwise use different ones.
#[derive(Default)]
pub(super) struct AuthHeaders<'a> {
    authorization: Option<&'a [u8]>,
    x_amz_date: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    session_token: Option<&'a str>,
    content_sha256: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    has_connection: bool,
}

impl<'a> AuthHeaders<'a> {
    pub(super) fn find(request: &Request<'a>) -> Result<Self, VerifyError> {
        let mut found = Self::default();
        for (name, value) in request.headers.iter() {
            let is = |own: &str| is_name(name, own);
            let (slot, name) = if is("authorization") {
                (&mut found.authorization, "Authorization")
            } else if is("x-amz-date") {
                (&mut found.x_amz_date, "X-Amz-Date")
            } else if is("date") {
                (&mut found.date, "Date")
            } else if is("x-amz-content-sha256") {
                (&mut found.content_sha256, "X-Amz-Content-Sha256")
            } else if is("host") {
                // With a proxy in front, an external host may replace a missing host, but not two of them.
                (&mut found.host, "Host")
            } else if SessionTokenName::of_header(name).is_some() {
                let token = value.trim_ascii();
                let token = core::str::from_utf8(token).map_err(|_| RequestError::not_ascii(name, token))?;
                if found.session_token.replace(token).is_some() {
                    return Err(VerifyError::Repeated { name: "X-Amz-Security-Token" });
                }
                continue;
            } else {
                found.has_connection |= is("connection");
                continue;
            };
            match slot.replace(value.trim_ascii()) {
                None => {}
                Some(_) if name == "Host" => return Err(RequestError::RepeatedHost.into()),
                Some(_) => return Err(VerifyError::Repeated { name }),
            }
        }
        Ok(found)
    }

    /// Reads the signature from the header or the query that has it.
    fn read(
        &self,
        request: &Request<'a>,
        index: &QueryIndex<'a>,
        claims: &mut Claims<'a>,
    ) -> Result<Values, VerifyError> {
        let values = match self.authorization {
            Some(header) if header.starts_with(b"AWS") && authorization::has_algorithm(index) => {
                return Err(VerifyError::BothMechanisms);
            }
            Some(header) if header.starts_with(b"AWS") => self.read_header(request, header, claims)?,
            _ if authorization::is_presigned(index) => self.read_query(index, claims)?,
            Some(header) => self.read_header(request, header, claims)?,
            None => return Err(VerifyError::MissingAuthentication),
        };
        let is_sigv4a = claims.algorithm() == Algorithm::EcdsaP256Sha256;
        if is_sigv4a && claims.region_set().is_none_or(str::is_empty) {
            return Err(VerifyError::MissingRegionSet { location: claims.location });
        }
        Ok(values)
    }

    fn read_header(
        &self,
        request: &Request<'a>,
        header: &'a [u8],
        claims: &mut Claims<'a>,
    ) -> Result<Values, VerifyError> {
        if header.len() > MAX_AUTHORIZATION {
            return Err(VerifyError::AuthorizationTooLong { length: header.len(), limit: MAX_AUTHORIZATION });
        }
        authorization::parse_header(header, claims).map_err(|error| VerifyError::of_claim(error, Location::Header))?;
        let timestamp = self.timestamp()?;
        if let Some(token) = self.session_token {
            claims.set_session_token(token);
        }
        let mut signed_payload = None;
        if let Some(value) = self.content_sha256 {
            let (text, signed) = parse_content_sha256(value)?;
            claims.set_content_sha256(text);
            signed_payload = Some(signed);
        }
        if claims.algorithm() == Algorithm::EcdsaP256Sha256
            && let Some(region_set) = region_set_header(request)?
        {
            claims.set_region_set(region_set);
        }
        Ok(Values { timestamp, expires_in: None, signed_payload })
    }

    fn read_query(&self, index: &QueryIndex<'a>, claims: &mut Claims<'a>) -> Result<Values, VerifyError> {
        authorization::parse_query(index, claims).map_err(|error| VerifyError::of_claim(error, Location::Query))?;
        let timestamp = parse_timestamp(claims.timestamp().unwrap_or_default(), Location::Query)?;
        let expires_in = claims.expires().map(parse_expires).transpose()?;
        match (claims.session_token(), self.session_token) {
            (Some(_), Some(_)) => {
                return Err(VerifyError::Repeated { name: SessionTokenName::SecurityToken.query() });
            }
            (None, Some(header)) => claims.set_session_token(header),
            (_, None) => {}
        }
        // The payload hash may be given in the query or in a header; if both give it, they have to agree.
        let in_query = claims.content_sha256().map(|text| parse_content_sha256(text.as_bytes())).transpose()?;
        let in_header = self.content_sha256.map(parse_content_sha256).transpose()?;
        let signed_payload = match (in_query, in_header) {
            (Some((query, _)), Some((header, _))) if query != header => {
                return Err(VerifyError::InvalidContentSha256 { got: excerpt(header.as_bytes()) });
            }
            (Some((_, signed)), _) => Some(signed),
            (None, Some((header, signed))) => {
                claims.set_content_sha256(header);
                Some(signed)
            }
            (None, None) => None,
        };
        Ok(Values { timestamp, expires_in, signed_payload })
    }

    /// The time of a request that is signed in its `Authorization` header.
    fn timestamp(&self) -> Result<Timestamp, VerifyError> {
        match (self.x_amz_date, self.date) {
            (Some(date), _) => parse_timestamp(date, Location::Header),
            (None, Some(date)) => {
                let as_http_writes_it = core::str::from_utf8(date).ok().and_then(Timestamp::parse_imf_fixdate);
                as_http_writes_it.map_or_else(|| parse_timestamp(date, Location::Header), Ok)
            }
            (None, None) => Err(VerifyError::MissingDate),
        }
    }
}

/// The SigV4A region set; its header may appear only once.
fn region_set_header<'a>(request: &Request<'a>) -> Result<Option<&'a str>, VerifyError> {
    const NAME: &str = "x-amz-region-set";
    let mut values = request.headers.values(NAME);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(VerifyError::Repeated { name: X_AMZ_REGION_SET });
    }
    let text = core::str::from_utf8(value.trim_ascii());
    Ok(Some(text.map_err(|_| RequestError::not_ascii(NAME, value))?))
}

fn parse_timestamp(text: &[u8], location: Location) -> Result<Timestamp, VerifyError> {
    Timestamp::parse(text).ok_or_else(|| VerifyError::MalformedDate { location, got: excerpt(text) })
}

fn parse_expires(text: &str) -> Result<u64, VerifyError> {
    if !is_digits(text) {
        return Err(VerifyError::MalformedExpires { got: excerpt(text.as_bytes()) });
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

fn parse_content_sha256(value: &[u8]) -> Result<(&str, SignedPayload), VerifyError> {
    core::str::from_utf8(value)
        .ok()
        .and_then(|text| Some((text, SignedPayload::parse(text)?)))
        .ok_or_else(|| VerifyError::InvalidContentSha256 { got: excerpt(value) })
}
