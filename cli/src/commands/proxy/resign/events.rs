//! Event streams: each message is verified, then signed anew. The layer of the library doesn't decode them, so the head is
//! verified here, by the same verifier.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use countersign::event_stream::{EventSigner, EventStreamError, EventVerifier};
use countersign::{Request, Timestamp, VerifiedHead, Verifier, VerifyError};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};

use super::sign::{Outgoing, Unsigned};
use super::verified::{admitted, credentials, not_signed};
use super::{Settings, Words, answer, outgoing};
use crate::serve::keys::CurrentKeys;
use crate::serve::{Answer, AnswerBody, BoxError, Exchange, refusal};

/// A message of the services is not longer, in bytes. All that has arrived of it is in memory.
const LONGEST: usize = 1 << 20;

pub async fn answer(
    settings: &Settings,
    words: Words,
    verifier: &Verifier,
    request: http::Request<AnswerBody>,
    exchange: &Exchange,
) -> Answer {
    let (head, body) = request.into_parts();
    let verified = match verified(settings, verifier, &head) {
        Ok(verified) => verified,
        Err(error) => {
            let check = error.check_number(Request::from(&head));
            exchange.refused(check.to_string(), error.to_string());
            return refusal::of_library(words.format, &error.refusal(words.format));
        }
    };
    forwarded(settings, words, (head, body), verified, exchange).await.unwrap_or_else(|answer| *answer)
}

fn verified(settings: &Settings, verifier: &Verifier, head: &Parts) -> Result<VerifiedHead<'static>, VerifyError> {
    let unverified = verifier.parse(Request::from(head), Timestamp::now())?;
    let keys = settings.ground.keys.get();
    let key = keys.find(unverified.access_key_id());
    Ok(unverified.verify_head(key.map(|key| &key.credentials))?.into_owned())
}

async fn forwarded(
    settings: &Settings,
    words: Words,
    (head, body): (Parts, AnswerBody),
    verified: VerifiedHead<'static>,
    exchange: &Exchange,
) -> Result<Answer, Box<Answer>> {
    let admitted = admitted(settings, words, &head, &verified, exchange)?;
    let found = credentials(settings, words, &admitted, exchange).await?;
    let target = admitted.target(settings, &verified).ok_or_else(|| Box::new(words.denied()))?;
    let messages = verified.events().map_err(|error| {
        exchange.refused("22", error.to_string());
        Box::new(words.denied())
    })?;
    let mut parts =
        outgoing::parts(head, &verified, target, &settings.virtual_hosts).ok_or_else(|| Box::new(words.denied()))?;
    // The messages are signed while they pass; how many there will be isn't known.
    parts.headers.remove(CONTENT_LENGTH);
    let unsigned = Unsigned { parts, verified: &verified, region: &settings.region };
    let (parts, signature, signer) =
        unsigned.events(&found.identity).map_err(|reason| Box::new(not_signed(words, exchange, reason)))?;
    let events = Events {
        body,
        verifier: messages.with_max_payload(LONGEST),
        signer: Some(signer),
        keys: settings.ground.keys.clone(),
        access_key_id: verified.access_key_id().to_owned(),
        ready: VecDeque::new(),
        state: State::Open,
    };
    let outgoing = Outgoing { parts, body: events.boxed_unsync(), signature };
    Ok(answer::of(words, &target.events, outgoing, &found, exchange).await)
}

/// The messages of the client, signed anew.
struct Events {
    body: AnswerBody,
    verifier: EventVerifier,
    /// `None` once the closing message is signed, or after an error.
    signer: Option<EventSigner>,
    keys: CurrentKeys,
    access_key_id: String,
    ready: VecDeque<Bytes>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Broken,
}

impl Events {
    fn push(&mut self, data: Bytes) -> Result<(), BoxError> {
        let mut rest = data.chunk();
        loop {
            let now = Timestamp::now();
            match self.verifier.verify(&mut rest, now) {
                Ok(Some(message)) => {
                    let signer = self.signer.as_mut().ok_or("a message after the closing one")?;
                    self.ready.push_back(signer.sign(&message, now)?.into());
                }
                Ok(None) => return self.close(),
                // After midnight, with the next day's key.
                Err(EventStreamError::KeyNeeded { .. }) => {
                    let keys = self.keys.get();
                    let key = keys.find(&self.access_key_id);
                    self.verifier.continue_with(key.map(|key| &key.credentials), now)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The closing message is signed only after that of the client was verified.
    fn close(&mut self) -> Result<(), BoxError> {
        if self.verifier.is_closed()
            && let Some(signer) = self.signer.take()
        {
            self.ready.push_back(signer.finish(Timestamp::now())?.into());
        }
        Ok(())
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        loop {
            if let Some(message) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(message))));
            }
            match this.state {
                State::Open => {}
                State::Ended => return Poll::Ready(None),
                // Never a clean end.
                State::Broken => return Poll::Ready(Some(Err("the event stream is broken".into()))),
            }
            let done = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data().map_or(Ok(()), |data| this.push(data)),
                Some(Err(error)) => Err(error),
                None => {
                    this.state = State::Ended;
                    this.verifier.clone().finish().map_err(Into::into)
                }
            };
            if let Err(error) = done {
                this.state = State::Broken;
                this.ready.clear();
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
