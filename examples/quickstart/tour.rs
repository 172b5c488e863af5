//! The nine calls, from a public route to a wrong clock.

use std::error::Error;
use std::time::Duration;

use countersign::explain::Sent;
use countersign::{Credentials, SignError, Signer, Timestamp};
use ureq::http::{HeaderValue, Request};

use crate::client::{Answer, agent, send};
use crate::server::{self, REGION, SERVICE};

/// Calls the API, and checks each response.
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
    println!("An API is listening on http://{address}. /dev/status is public; /dev/get-list and /dev/items require");
    println!("signatures for region {REGION} and service {SERVICE}, as API Gateway does with AWS_IAM authorization.");
    let mut tour =
        Tour { agent: agent("127.0.0.1"), base: format!("http://{address}"), step: 0, surprises: Vec::new() };
    let signer = Signer::new(own, REGION, SERVICE)?;
    let now = Timestamp::now();

    let request = tour.get("/dev/status")?;
    tour.call("A public route", unsigned(request), 200, "up", "This route requires no signature.")?;

    let request = tour.get("/dev/get-list")?;
    tour.call(
        "An IAM route, unsigned",
        unsigned(request),
        403,
        "the request is not signed",
        "The request has no signature. API Gateway gives the same answer for a route that doesn't exist.",
    )?;

    let call = signed(&signer, tour.get("/dev/get-list")?, now)?;
    tour.call(
        "An IAM route, signed",
        call,
        200,
        "AKIAIOSFODNN7EXAMPLE",
        "Signing adds two headers: x-amz-date and authorization.",
    )?;

    let call = signed(&Signer::new(temporary, REGION, SERVICE)?, tour.get("/dev/get-list")?, now)?;
    tour.call(
        "Signed with temporary credentials",
        call,
        200,
        "ASIAIOSFODNN7EXAMPLE",
        "The session token is sent as x-amz-security-token, which is signed as well.",
    )?;

    let presigned = signer.presign(&tour.get("/dev/get-list")?, Duration::from_secs(60), now)?;
    tour.call(
        "A presigned URL",
        (Request::get(presigned.url()).body(Vec::new())?, Sent::from(&presigned)),
        200,
        "AKIAIOSFODNN7EXAMPLE",
        "The signature is part of the URL. Anyone who has the URL can use it for 60 seconds.",
    )?;

    let mistaken = Signer::new(Credentials::new("AKIAIOSFODNN7EXAMPLE", "notTheSecret")?, REGION, SERVICE)?;
    let call = signed(&mistaken, tour.get("/dev/get-list")?, now)?;
    tour.call(
        "Signed with the wrong secret",
        call,
        403,
        "likely: the secret access key doesn't belong to this access key id",
        "The client and the server compute the same canonical request, but with different keys.",
    )?;

    let mut call = signed(&signer, tour.post(r#"{"name":"saw"}"#)?, now)?;
    *call.0.body_mut() = r#"{"name":"axe"}"#.into();
    tour.call(
        "Body changed in transit",
        call,
        403,
        "the body differs from the signed one",
        "The hash of the body is the last line of the canonical request.",
    )?;
    let mut call = signed(&signer, tour.post(r#"{"name":"saw"}"#)?, now)?;
    call.0.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    tour.call(
        "Header changed in transit",
        call,
        403,
        "the charset of the content type differs",
        "content-type is signed, but a charset is added to it after signing.",
    )?;

    let call = signed(&signer, tour.get("/dev/get-list")?, now.saturating_add(-600))?;
    tour.call(
        "Client's clock ten minutes slow",
        call,
        403,
        "the client's clock is 10 minutes",
        "The server allows a clock skew of five minutes.",
    )?;

    if tour.surprises.is_empty() {
        println!("\nAll nine calls were answered as expected. To sign and send a request of your own, pass its URL:");
        println!("cargo run --example quickstart -- URL");
        Ok(())
    } else {
        Err(tour.surprises.join("\n").into())
    }
}
