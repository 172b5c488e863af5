//! The eight calls, from a public route to a wrong clock.

use std::error::Error;
use std::time::Duration;

use countersign::{Credentials, Payload, Signer, Timestamp};
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
        request: Request<Vec<u8>>,
        status: u16,
        text: &str,
        because: &str,
    ) -> Result<(), Box<dyn Error>> {
        self.step += 1;
        println!("\n{}. {title}", self.step);
        let Answer { status: got, body } = send(&self.agent, request)?;
        println!("   {because}");
        if got != status || !body.contains(text) {
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

pub fn run() -> Result<(), Box<dyn Error>> {
    let own = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    let temporary = Credentials::new("ASIAIOSFODNN7EXAMPLE", "bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/K7MDENG")?
        .with_session_token("FwoGZXIvYXdzEBYaDEXAMPLETOKEN//+w==")?;
    let address = server::start(vec![own.clone(), temporary.clone()])?;
    println!("An API on http://{address}: /dev/status is public, /dev/get-list and /dev/items take signed calls only,");
    println!("for region {REGION} and service {SERVICE}, as API Gateway does with AWS_IAM authorization.");
    let mut tour = Tour { agent: agent(), base: format!("http://{address}"), step: 0, surprises: Vec::new() };
    let signer = Signer::new(own.clone(), REGION, SERVICE);

    let request = tour.get("/dev/status")?;
    tour.call("The public route", request, 200, "up", "Nobody asks for a signature here.")?;

    let request = tour.get("/dev/get-list")?;
    tour.call(
        "The IAM route, without a signature",
        request,
        403,
        r#"{"message":"Missing Authentication Token"}"#,
        "The request carries no signature. API Gateway says the same of a route that doesn't exist.",
    )?;

    let mut request = tour.get("/dev/get-list")?;
    signer.sign_http(&mut request, Payload::EMPTY, Timestamp::now())?;
    tour.call("Signed", request, 200, "AKIAIOSFODNN7EXAMPLE", "Two headers were added: x-amz-date and authorization.")?;

    let mut request = tour.get("/dev/get-list")?;
    Signer::new(temporary, REGION, SERVICE).sign_http(&mut request, Payload::EMPTY, Timestamp::now())?;
    tour.call(
        "Signed with temporary credentials",
        request,
        200,
        "ASIAIOSFODNN7EXAMPLE",
        "The session token goes along as x-amz-security-token, and is signed.",
    )?;

    let presigned = signer.presign_http(&tour.get("/dev/get-list")?, Duration::from_secs(60), Timestamp::now())?;
    let request = Request::get(presigned.url()).body(Vec::new())?;
    tour.call(
        "A presigned URL",
        request,
        200,
        "AKIAIOSFODNN7EXAMPLE",
        "The signature is part of the URL, which is good for 60 seconds in anybody's hands.",
    )?;

    let mut request = tour.get("/dev/get-list")?;
    Signer::new(Credentials::new("AKIAIOSFODNN7EXAMPLE", "notTheSecret")?, REGION, SERVICE).sign_http(
        &mut request,
        Payload::EMPTY,
        Timestamp::now(),
    )?;
    tour.call(
        "Signed with a wrong secret",
        request,
        403,
        "The request signature we calculated does not match the signature you provided.",
        "Both sides computed the same canonical request, with different keys.",
    )?;

    let body = r#"{"name":"saw"}"#;
    let mut request = tour.post(body)?;
    signer.sign_http(&mut request, Payload::Bytes(body.as_bytes()), Timestamp::now())?;
    *request.body_mut() = r#"{"name":"axe"}"#.into();
    tour.call(
        "The body changed on the way",
        request,
        403,
        "does not match",
        "The hash of the body is the last line of the canonical request.",
    )?;
    let mut request = tour.post(body)?;
    signer.sign_http(&mut request, Payload::Bytes(body.as_bytes()), Timestamp::now())?;
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    tour.step -= 1;
    tour.call(
        "And a header changed on the way",
        request,
        403,
        "does not match",
        "content-type is signed; something added a charset to it.",
    )?;

    let mut request = tour.get("/dev/get-list")?;
    let ten_minutes_ago = Timestamp::from_unix_seconds(Timestamp::now().unix_seconds() - 600)?;
    signer.sign_http(&mut request, Payload::EMPTY, ten_minutes_ago)?;
    tour.call(
        "The clock ten minutes off",
        request,
        403,
        "Signature expired: ",
        "This service allows five minutes between the clocks.",
    )?;

    if tour.surprises.is_empty() {
        println!("\nAll as it has to be. With a URL of yours, the same program signs and sends that call.");
        Ok(())
    } else {
        Err(tour.surprises.join("\n").into())
    }
}
