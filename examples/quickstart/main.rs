//! A signed call, a refused one, and why: over real HTTP, on loopback.
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
usage: quickstart                   the tour, on loopback
       quickstart URL [OPTIONS]     sign and send one call, with AWS_ACCESS_KEY_ID,
                                    AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
  --region REGION     where the URL's host doesn't say it
  --service SERVICE   where the URL's host doesn't say it, e.g. execute-api
  --method METHOD     GET if it isn't given, POST with a body
  --body TEXT         sent as application/json";

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
