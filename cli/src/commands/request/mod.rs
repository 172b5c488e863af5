//! `countersign request`

mod answer;
mod follow;
mod offline;
mod progress;
mod refusal;
pub mod verbose;
mod write_out;

use std::process::ExitCode;
use std::time::Instant;

use countersign::{Identity, SignedHeaders, Signer, Timestamp};

use crate::args::RequestArgs;
use crate::endpoint::Target;
use crate::failure::{Failure, Kind};
use crate::http::{Answer, Client, Outgoing};
use crate::output::Output;
use crate::request::{Draft, Ingredients, Payload, Signed, check_stdin, curl, host, sign};
use crate::url::Url;
use write_out::{Figures, Template};

/// What stays the same for each request that is sent.
struct Session<'a> {
    args: &'a RequestArgs,
    output: Output,
    client: Client,
    signer: Signer,
    payload: Payload,
    /// How far the server's clock is ahead of ours, in seconds.
    skew: i64,
    started: Instant,
}

pub fn run(args: &RequestArgs) -> Result<ExitCode, Failure> {
    let output = Output::new();
    match send(args, output) {
        Err(failure) if args.show.silent && !args.show.show_error => Ok(failure.exit_code()),
        result => result,
    }
}

fn send(args: &RequestArgs, output: Output) -> Result<ExitCode, Failure> {
    let template = args.show.write_out.as_deref().map(Template::parse).transpose()?;
    check_stdin(&args.credentials, &args.body, &args.headers)?;
    let url = Url::parse(&args.url)?;
    let found = crate::credentials::find(&args.credentials, &args.transport)?;
    let host = host(&args.headers).unwrap_or_else(|| url.host()).to_owned();
    let target = Target::find(&args.scope, &host, found.region.as_deref())?;
    let draft = Draft::new(Ingredients {
        url,
        method: args.request.as_deref(),
        head: args.act.head,
        headers: &args.headers,
        body: &args.body,
        service: &target.service,
    })?;
    let payload = Payload::choose(&args.body, &draft.content, &target.service)?;
    if args.show.verbose {
        verbose::origins(output, &found, &target, payload, &draft);
    }
    if payload.is_unsigned() && !draft.url.is_https() && !args.show.silent {
        output.warning("without HTTPS, an unsigned body can be changed on the way");
    }
    let mut signer = target.signer(Identity::new(found.credentials))?;
    if args.sign_all_headers {
        signer = signer.with_signed_headers(SignedHeaders::All);
    }
    let client = Client::new(&args.transport)?;
    let mut session = Session { args, output, client, signer, payload, skew: 0, started: Instant::now() };
    if args.act.curl {
        let command = curl::command(&args.transport, &args.body, &draft, &session.sign(&draft)?)?;
        return output.print(&(command + "\n")).map(|()| ExitCode::SUCCESS);
    }
    if args.act.offline {
        return offline::http(output, &draft, &session.sign(&draft)?);
    }
    session.exchange(draft, template.as_ref())
}

impl Session<'_> {
    fn sign(&self, draft: &Draft) -> Result<Signed, Failure> {
        let signed = sign(draft, &self.signer, self.payload, Timestamp::now().saturating_add(self.skew))?;
        if self.args.show.verbose {
            verbose::stages(self.output, signed.stages());
        }
        Ok(signed)
    }

    /// Sends the request, again if the clock is wrong, and follows redirects.
    fn exchange(&mut self, mut draft: Draft, template: Option<&Template>) -> Result<ExitCode, Failure> {
        let mut redirects = 0;
        let mut retried = false;
        loop {
            let signed = self.sign(&draft)?;
            let mut answer = self.send(&draft, &signed)?;
            if let Some(next) = follow::next(self, &draft, &answer, redirects)? {
                redirects += 1;
                draft = next;
                continue;
            }
            let mut received = answer::Received::default();
            if answer.status().as_u16() >= 400 {
                received.read_ahead(&mut answer);
                let explanation = refusal::explain(&answer, received.ahead(), &signed);
                let offset = explanation.clock_offset();
                if let (Some(offset), true, false) = (offset, self.args.act.retry_skew, retried) {
                    self.tell(&format!(
                        "the clock differs from the server's by {offset} seconds; sending again with its time"
                    ));
                    check_again(&draft)?;
                    (self.skew, retried) = (self.skew + offset, true);
                    continue;
                }
                let size = answer::write(self, &mut answer, &mut received)?;
                refusal::print(self, answer.status().as_u16(), &explanation);
                received.check()?;
                return self.finish(&draft, &signed, &answer, size, redirects, template);
            }
            let size = answer::write(self, &mut answer, &mut received)?;
            return self.finish(&draft, &signed, &answer, size, redirects, template);
        }
    }

    fn send(&self, draft: &Draft, signed: &Signed) -> Result<Answer<'_>, Failure> {
        let progress = progress::Progress::new(self, draft.content.length());
        let body = signed.body(&draft.content, |reader| progress.wrap(reader));
        let outgoing = Outgoing { method: draft.method.clone(), headers: signed.headers.clone(), body };
        if self.args.show.verbose {
            verbose::request(self.output, draft, signed);
        }
        let answer = self.client.send(&draft.url, outgoing);
        progress.finish();
        let answer = answer?;
        if self.args.show.verbose {
            verbose::answer(self.output, &answer);
        }
        Ok(answer)
    }

    /// Prints a note, unless `--silent`.
    fn tell(&self, text: &str) {
        if !self.args.show.silent || self.args.show.show_error {
            self.output.note(&format!("countersign: {text}"));
        }
    }

    fn finish(
        &self,
        draft: &Draft,
        signed: &Signed,
        answer: &Answer<'_>,
        size_download: u64,
        redirects: u32,
        template: Option<&Template>,
    ) -> Result<ExitCode, Failure> {
        if let Some(template) = template {
            let figures = Figures {
                answer,
                draft,
                size_download,
                size_upload: signed.body_length(&draft.content),
                redirects,
                started: self.started,
            };
            self.output.print(&template.fill(&figures))?;
        }
        let status = answer.status();
        if self.args.show.fails(status.as_u16()) {
            return Err(Failure::new(Kind::Status, format!("the status is {status}")));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A body from a pipe is gone once it was sent.
fn check_again(draft: &Draft) -> Result<(), Failure> {
    if draft.content.is_pipe() {
        return Err(Failure::new(
            Kind::Read,
            "the request can't be sent again, because its body came from a pipe; leave out --body-size",
        ));
    }
    Ok(())
}
