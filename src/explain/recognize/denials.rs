//! Recognises refusals for reasons other than the signature: permissions, routes, redirects.

use alloc::string::String;

use super::Found;
use crate::aws_error::read::Said;
use crate::aws_error::text;
use crate::explain::cause::Cause;
use crate::explain::certainty::Certainty;
use crate::explain::sent::Auth;
use crate::text::excerpt;

// Parts of messages that the verifier never returns.
/// Describes a caller without credentials.
const ANONYMOUS: &str = "anonymous";
const NOT_AUTHORIZED_TO_PERFORM: &str = "not authorized to perform";
const NOT_AUTHORIZED_TO_ACCESS: &str = "not authorized to access this resource";
const FORBIDDEN: &str = "Forbidden";
const NOT_FOUND: &str = "Not Found";
const NO_ROUTE: &str = "no Route matched";

impl Found<'_> {
    pub(super) fn denials(&mut self, said: &Said) {
        self.not_authorized(said);
        self.aoss(said);
        self.access_denied(said);
        self.forbidden(said);
        self.not_found(said);
        self.redirect();
    }

    fn not_authorized(&mut self, said: &Said) {
        if said.holds(NOT_AUTHORIZED_TO_PERFORM) || said.holds(NOT_AUTHORIZED_TO_ACCESS) {
            if said.holds(ANONYMOUS) {
                match self.sent.auth {
                    Auth::None => self.push(Cause::NotSigned),
                    _ if self.sent.is_signed() => {
                        self.push_all(Certainty::Likely, &[Cause::SignatureLost, Cause::PolicyDenies]);
                    }
                    _ => self.push_all(Certainty::Likely, &[Cause::NotSigned, Cause::SignatureLost]),
                }
            } else {
                self.push(Cause::PolicyDenies);
            }
        }
    }

    fn aoss(&mut self, said: &Said) {
        let service = self.sent.service.as_str();
        let forbidden = service == "aoss" && said.ends_with(FORBIDDEN);
        if self.reply.hint("x-aoss-response-hint").is_some() || forbidden {
            if !service.is_empty() && service != "aoss" {
                self.push(Cause::WrongService { expected: Some("aoss".into()) });
            }
            let unhashed = !["GET", "HEAD", "DELETE", ""].contains(&self.sent.method.as_str());
            match unhashed {
                true => self.possible(&[Cause::ContentSha256, Cause::PolicyDenies]),
                false => self.possible(&[Cause::PolicyDenies, Cause::ContentSha256]),
            }
        }
    }

    /// S3's "Access Denied": the request is not signed, or its signer has no permission.
    fn access_denied(&mut self, said: &Said) {
        // MinIO and its kin write a full stop, Ceph nothing at all.
        let only = [text::ACCESS_DENIED.known, "Access Denied.", "AccessDenied", ""].iter().any(|text| said.is(text));
        if self.reply.code == "AccessDenied" && only && self.findings.is_empty() {
            match self.sent.auth {
                Auth::None => self.push(Cause::NotSigned),
                Auth::Other { .. } => self.push(Cause::OtherAuthorization),
                Auth::Unknown => self.possible(&[Cause::PolicyDenies, Cause::NotSigned, Cause::SignatureLost]),
                _ => self.push_all(Certainty::Likely, &[Cause::PolicyDenies, Cause::SignatureLost]),
            }
        }
    }

    fn forbidden(&mut self, said: &Said) {
        let code = self.reply.code.as_str();
        let in_text = said.as_str().trim_start_matches("403 ").starts_with(&FORBIDDEN.to_ascii_lowercase());
        let forbidden = self.reply.status == 403 && (in_text || code.starts_with("Forbidden"));
        if !forbidden || !self.findings.is_empty() || self.reply.is_html {
            return;
        }
        let function_url = code.starts_with("AccessDenied");
        let http_api = self.reply.hint("apigw-requestid").is_some() || code.is_empty();
        match &self.sent.auth {
            // A REST API reports a missing signature as such.
            _ if code.starts_with("Forbidden") => self.push(Cause::ForbiddenWithoutReason),
            Auth::None => self.push_all(Certainty::Observed, &[Cause::NotSigned, Cause::ForbiddenWithoutReason]),
            Auth::Other { .. } => {
                self.push_all(Certainty::Observed, &[Cause::OtherAuthorization, Cause::ForbiddenWithoutReason]);
            }
            _ if function_url && self.sent.is_signed() => {
                self.push_all(Certainty::Likely, &[Cause::PolicyDenies, Cause::SignatureLost]);
            }
            _ if function_url => self.possible(&[Cause::NotSigned, Cause::PolicyDenies]),
            _ if http_api => {
                self.push_all(Certainty::Observed, &[Cause::RefusedWithoutReason, Cause::ForbiddenWithoutReason]);
            }
            _ => self.push(Cause::ForbiddenWithoutReason),
        }
    }

    fn not_found(&mut self, said: &Said) {
        let texts = [NOT_FOUND, "", NO_ROUTE];
        if self.reply.status == 404 && self.findings.is_empty() && texts.iter().any(|text| said.is(text)) {
            self.no_such_route(Certainty::Likely);
        }
    }

    fn redirect(&mut self) {
        let elsewhere = self.reply.location.as_deref().or(self.reply.element("Endpoint"));
        if let Some(location) = elsewhere.filter(|_| (300..400).contains(&self.reply.status)) {
            let location = excerpt(without_secrets(location).as_bytes());
            self.push(Cause::Redirected { location });
        }
    }
}

/// Returns a URL without user info, query and fragment, since it may contain a password or be a presigned URL.
fn without_secrets(location: &str) -> String {
    let location = location.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = location.split_once("://") else { return location.into() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    alloc::format!("{scheme}://{host}{path}")
}
