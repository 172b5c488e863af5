//! What is known of the request that was refused.

use countersign::explain::{Diagnosis, Sent};
use countersign::{Credentials, Identity, Timestamp, VerifyError};

use super::answer::{Answer, Form, curl, read_sent};
use crate::args::{CredentialArgs, ExplainArgs};
use crate::credentials;
use crate::endpoint::Target;
use crate::failure::Failure;
use crate::output::Output;
use crate::request::{Draft, Ingredients, Payload, sign};
use crate::time;
use crate::url::Url;

/// The request, and the credentials to check its signature with.
pub struct Known {
    pub sent: Sent,
    credentials: Option<Credentials>,
}

impl Known {
    pub fn find(args: &ExplainArgs, answer: &Answer) -> Result<Self, Failure> {
        let what = &args.sent;
        if let Some(url) = &what.url {
            return Ok(Self { sent: signed_here(args, url, answer)?, credentials: None });
        }
        let given = what.sent.is_some() || what.curl.is_some();
        if given && answer.form == Form::Har {
            return Err(Failure::usage("the HAR file contains the request; leave out --sent and --curl"));
        }
        let sent = if let Some(file) = &what.sent {
            read_sent(file, args.entry)?
        } else if let Some(command) = &what.curl {
            curl(command.expose())?
        } else {
            answer.own_request().transpose()?.unwrap_or_default()
        };
        let credentials = match args.with_credentials || is_given(&args.credentials) {
            true => Some(credentials::find(&args.credentials, &args.transport)?.credentials),
            false => None,
        };
        Ok(Self { sent, credentials })
    }

    /// The mistake of the signer. `None` without credentials, or if the request isn't known well enough.
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        let diagnosis = self.sent.deviations(self.credentials.as_ref()?)?;
        // The explanation has said so already.
        let is_unsigned = matches!(diagnosis, Diagnosis::Refused(VerifyError::MissingAuthentication));
        Some(diagnosis).filter(|_| !is_unsigned)
    }
}

fn is_given(args: &CredentialArgs) -> bool {
    args.profile.is_some() || args.user.is_some() || args.access_key.is_some() || args.credentials_stdin
}

/// Signs a request as `countersign request` does, at the time of the refused one.
fn signed_here(args: &ExplainArgs, url: &str, answer: &Answer) -> Result<Sent, Failure> {
    if answer.form == Form::Har {
        return Err(Failure::usage("the HAR file contains the request; leave out --url"));
    }
    let what = &args.sent;
    let url = Url::parse(url)?;
    let found = credentials::find(&args.credentials, &args.transport)?;
    let target = Target::find(&args.scope, url.host(), found.region.as_deref())?;
    let body = what.body();
    let draft = Draft::new(Ingredients {
        url,
        method: what.request.as_deref(),
        head: false,
        headers: &what.headers,
        body: &body,
        service: &target.service,
    })?;
    let payload = Payload::choose(&body, &draft.content, &target.service)?;
    let date = match &what.date {
        Some(date) => time::of_flag(date)?,
        None => answer.time().unwrap_or_else(|| {
            Output::new().warning(
                "the answer doesn't say when the request was signed; the current time is used. Give it with --date if \
                 the times differ",
            );
            Timestamp::now()
        }),
    };
    let signed = sign(&draft, &target.signer(Identity::new(found.credentials))?, payload, date)?;
    Ok(Sent::from(signed.stages()))
}
