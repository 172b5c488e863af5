//! Does what the "Test" button of the API Gateway console does: invokes a method of a REST API without a deployed
//! stage.
//!
//! ```text
//! cargo run --example test_invoke_method -- --region us-east-1 --rest-api-id abc123 --resource-id xyz789
//! ```
//!
//! API: <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html>

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use countersign::explain::Explanation;
use countersign::{Credentials, Signer, Timestamp, encode_segment};
use ureq::http::{Request, Response};

const USAGE: &str = "\
usage: test_invoke_method --region REGION --rest-api-id ID --resource-id ID [OPTIONS]
  --method METHOD                the method of the resource (default: GET)
  --path-with-query-string PATH  the path of the invocation, e.g. '/get-list?limit=25'
  --body TEXT                    the body of the invocation
  --endpoint URL                 the endpoint (default: https://apigateway.REGION.amazonaws.com)
Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from the environment.";

#[derive(Default)]
struct Options {
    region: String,
    rest_api_id: String,
    resource_id: String,
    method: Option<String>,
    path_with_query_string: Option<String>,
    body: Option<String>,
    endpoint: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--help"] {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(arguments.into_iter()) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match options.invoke() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--region" => options.region = value()?,
                "--rest-api-id" => options.rest_api_id = value()?,
                "--resource-id" => options.resource_id = value()?,
                "--method" => options.method = Some(value()?),
                "--path-with-query-string" => options.path_with_query_string = Some(value()?),
                "--body" => options.body = Some(value()?),
                "--endpoint" => options.endpoint = Some(value()?),
                _ => return Err(format!("unknown option {argument}")),
            }
        }
        for (option, value) in [
            ("--region", &options.region),
            ("--rest-api-id", &options.rest_api_id),
            ("--resource-id", &options.resource_id),
        ] {
            if value.is_empty() {
                return Err(format!("{option} is missing"));
            }
        }
        Ok(options)
    }

    fn invoke(self) -> Result<(), Box<dyn Error>> {
        let signer = Signer::new(Credentials::from_env()?, &self.region, "apigateway")?;
        let endpoint = self.endpoint.unwrap_or_else(|| format!("https://apigateway.{}.amazonaws.com", self.region));
        let url = format!(
            "{endpoint}/restapis/{}/resources/{}/methods/{}",
            encode_segment(self.rest_api_id),
            encode_segment(self.resource_id),
            encode_segment(self.method.unwrap_or_else(|| "GET".into())),
        );
        let mut input = serde_json::Map::new();
        input.extend(self.path_with_query_string.map(|path| ("pathWithQueryString".into(), path.into())));
        input.extend(self.body.map(|body| ("body".into(), body.into())));

        let mut request = Request::post(url)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(serde_json::to_vec(&input)?)?;
        let signed = signer.sign_http(&mut request, Timestamp::now())?;

        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        let (parts, mut body) = agent.run(request)?.into_parts();
        let response = Response::from_parts(parts, body.read_to_string()?);
        println!("{}\n{}", response.status(), response.body());
        if response.status().is_success() {
            return Ok(());
        }
        Err(Explanation::from_http_response(&response, Some(&signed)).to_string().into())
    }
}
