//! Signs and verifies requests over real HTTP on loopback, and explains why some are refused.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- https://ID.execute-api.REGION.amazonaws.com/STAGE/PATH
//! ```

mod client;
mod real_call;
mod server;
mod tour;

use std::process::ExitCode;

const USAGE: &str = "\
usage: quickstart                   run the tour on loopback
       quickstart URL [OPTIONS]     sign and send one request, with AWS_ACCESS_KEY_ID,
                                    AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
  --region REGION     the region, if it isn't part of the host name
  --service SERVICE   the service, if it isn't part of the host name, e.g. execute-api
  --method METHOD     the method (default: GET, or POST with a body)
  --body TEXT         the body, sent as application/json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = if arguments.is_empty() {
        tour::run()
    } else if arguments == ["--help"] {
        println!("{USAGE}");
        Ok(())
    } else {
        match real_call::Call::parse(&arguments) {
            Ok(call) => call.send(),
            Err(problem) => {
                eprintln!("{problem}\n\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
