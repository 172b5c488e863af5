//! Sends one signed request to a URL of the user.

use std::error::Error;

use countersign::explain::Sent;
use countersign::{Credentials, Signer, Timestamp};
use ureq::http::{Request, Uri};

use crate::client::{agent, send};

pub struct Call {
    uri: Uri,
    region: String,
    service: String,
    method: String,
    body: Option<String>,
}

impl Call {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let (mut url, mut region, mut service, mut method, mut body) = (None, None, None, None, None);
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let slot = match argument.as_str() {
                "--region" => &mut region,
                "--service" => &mut service,
                "--method" => &mut method,
                "--body" => &mut body,
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ if url.is_some() => return Err(format!("unexpected argument {argument}: only one URL is accepted")),
                _ => {
                    url = Some(argument.clone());
                    continue;
                }
            };
            *slot = Some(arguments.next().ok_or_else(|| format!("{argument} needs a value"))?.clone());
        }
        let url = url.ok_or("the URL is missing")?;
        let uri: Uri = url.parse().map_err(|error| format!("{url:?} is not a URL: {error}"))?;
        let host =
            uri.host().filter(|_| uri.scheme().is_some()).ok_or_else(|| format!("{url:?} is not an absolute URL"))?;
        let read = named_by_host(host);
        if let Some((read_service, read_region)) = &read {
            println!(
                "From the host name: region {read_region}, service {read_service} (override with --region, --service)."
            );
        }
        let (read_service, read_region) = read.unzip();
        let needed =
            |option: &str| format!("the {option} to sign for can't be determined from {host}; set it with --{option}");
        Ok(Self {
            region: region.or(read_region).ok_or_else(|| needed("region"))?,
            service: service.or(read_service).ok_or_else(|| needed("service"))?,
            method: method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.into()),
            body,
            uri,
        })
    }

    pub fn send(self) -> Result<(), Box<dyn Error>> {
        let signer = Signer::new(Credentials::from_env()?, self.region, self.service)?;
        let mut request = Request::builder().method(self.method.as_str()).uri(self.uri);
        if self.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let mut request = request.body(self.body.unwrap_or_default().into_bytes())?;
        let signed = signer.sign_http(&mut request, Timestamp::now())?;
        let agent = agent(request.uri().host().unwrap_or_default());
        let answer = send(&agent, request, Sent::from(&signed))?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(format!("refused with {status}").into()),
        }
    }
}

/// Returns the service and region of a host name that contains both. Custom domains don't.
fn named_by_host(host: &str) -> Option<(String, String)> {
    let labels: Vec<&str> = host.split('.').collect();
    let (service, region) = match labels.as_slice() {
        [_, "execute-api", region, "amazonaws", "com"] | [_, "execute-api", region, "amazonaws", "com", "cn"] => {
            ("execute-api", *region)
        }
        [_, "lambda-url", region, "on", "aws"] => ("lambda", *region),
        [service, region, "amazonaws", "com"] if region.contains('-') => (*service, *region),
        _ => return None,
    };
    Some((service.into(), region.into()))
}
