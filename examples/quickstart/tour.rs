//! The eight calls, from a public route to a wrong clock.

use std::error::Error;
use std::time::Duration;

use countersign::explain::Sent;
use countersign::{Credentials, SignError, Signer, Timestamp};
use ureq::http::{HeaderValue, Request};

use crate::client::{Answer, agent, send};
use crate::server::{self, REGION, SERVICE};

/// Calls the API, and compares each answer with what it has to be.
struct Tour {
    agent: ureq::Agent,
    base: String,
    step: u32,
    surprises: Vec<String>,
}

impl Tour {
    fn call(
        &mut self,
        title: &str,
        (request, sent): (Request<Vec<u8>>, Sent),
        status: u16,
        text: &str,
        because: &str,
    ) -> Result<(), Box<dyn Error>> {
        self.step += 1;
        println!("\n{}. {title}", self.step);
        println!("   {because}");
        let Answer { status: got, body, explanation } = send(&self.agent, request, sent)?;
        let said = explanation.map_or(body, |explanation| explanation.to_string());
        if got != status || !said.contains(text) {
            self.surprises.push(format!("{}. {title}: expected {status} with {text:?}", self.step));
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Request<Vec<u8>>, ureq::http::Error> {
        Request::get(format!("{}{path}", self.base)).body(Vec::new())
    }

    fn post(&self, body: &str) -> Result<Request<Vec<u8>>, ureq::http::Error> {
        Request::post(format!("{}/dev/items", self.base)).header("content-type", "application/json").body(body.into())
    }
}

fn unsigned(request: Request<Vec<u8>>) -> (Request<Vec<u8>>, Sent) {
    let sent = Sent::from(&request);
    (request, sent)
}

fn signed(
    signer: &Signer,
    mut request: Request<Vec<u8>>,
    now: Timestamp,
) -> Result<(Request<Vec<u8>>, Sent), SignError> {
    let signed = signer.sign_http(&mut request, now)?;
    Ok((request, Sent::from(&signed)))
}

pub fn run() -> Result<(), Box<dyn Error>> {
    let own = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    let temporary = Credentials::new("ASIAIOSFODNN7EXAMPLE", "bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/K7MDENG")?
        .with_session_token("FwoGZXIvYXdzEBYaDEXAMPLETOKEN//+w==")?;
    let address = server::start(vec![own.clone(), temporary.clone()])?;
    println!("An API on http://{address}: /dev/status is public, /dev/get-list and /dev/items take signed calls only,");
    println!("for region {REGION} and service {SERVICE}, as API Gateway does with AWS_IAM authorization.");
    let mut tour =
        Tour { agent: agent("127.0.0.1"), base: format!("http://{address}"), step: 0, surprises: Vec::new() };
    let signer = Signer::new(own, REGION, SERVICE)?;
    let now = Timestamp::now();

    let request = tour.get("/dev/status")?;
    tour.call("The public route", unsigned(request), 200, "up", "Nobody asks for a signature here.")?;

    let request = tour.get("/dev/get-list")?;
    tour.call(
        "The IAM route, without a signature",
        unsigned(request),
        403,
        "the request is not signed",
        "The request carries no signature. API Gateway says the same of a route that doesn't exist.",
    )?;

    let call = signed(&signer, tour.get("/dev/get-list")?, now)?;
    tour.call("Signed", call, 200, "AKIAIOSFODNN7EXAMPLE", "Two headers are added: x-amz-date and authorization.")?;

    let call = signed(&Signer::new(temporary, REGION, SERVICE)?, tour.get("/dev/get-list")?, now)?;
    tour.call(
        "Signed with temporary credentials",
        call,
        200,
        "ASIAIOSFODNN7EXAMPLE",
        "The session token goes along as x-amz-security-token, and is signed.",
    )?;

    let presigned = signer.presign(&tour.get("/dev/get-list")?, Duration::from_secs(60), now)?;
    tour.call(
        "A presigned URL",
        (Request::get(presigned.url()).body(Vec::new())?, Sent::from(&presigned)),
        200,
        "AKIAIOSFODNN7EXAMPLE",
        "The signature is part of the URL, which is good for 60 seconds in anybody's hands.",
    )?;

    let mistaken = Signer::new(Credentials::new("AKIAIOSFODNN7EXAMPLE", "notTheSecret")?, REGION, SERVICE)?;
    let call = signed(&mistaken, tour.get("/dev/get-list")?, now)?;
    tour.call(
        "Signed with a wrong secret",
        call,
        403,
        "the secret is not the one of this access key id",
        "Both sides compute the same canonical request, with different keys.",
    )?;

    let mut call = signed(&signer, tour.post(r#"{"name":"saw"}"#)?, now)?;
    *call.0.body_mut() = r#"{"name":"axe"}"#.into();
    tour.call(
        "The body changed on the way",
        call,
        403,
        "the body is not the one that was signed",
        "The hash of the body is the last line of the canonical request.",
    )?;
    let mut call = signed(&signer, tour.post(r#"{"name":"saw"}"#)?, now)?;
    call.0.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    tour.call(
        "A header changed on the way",
        call,
        403,
        "the content type differs in its charset",
        "content-type is signed; something adds a charset to it.",
    )?;

    let call = signed(&signer, tour.get("/dev/get-list")?, now.saturating_add(-600))?;
    tour.call(
        "The clock ten minutes off",
        call,
        403,
        "the signer's clock is 60",
        "This service allows five minutes between the clocks.",
    )?;

    if tour.surprises.is_empty() {
        println!("\nEverything passed. Given a URL of yours, the same program signs and sends that call.");
        Ok(())
    } else {
        Err(tour.surprises.join("\n").into())
    }
}
