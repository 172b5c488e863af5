use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CredentialArgs, TransportArgs};

/// Verify the signature of a request
///
/// Checks a request as a server that knows the credentials would: the signature, the time, the scope, which headers have
/// to be signed, and the body. Nothing is sent, and the right signature is never printed.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct VerifyArgs {
    /// The request as it was sent: request line, headers, an empty line, body; `-` is standard input [default: -]
    #[arg(value_name = "REQUEST")]
    pub request: Option<PathBuf>,

    /// A file with the body, instead of the body in REQUEST
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,

    /// The time of the server: `now`, `request` (the request's own, for old captures), or a time such as 20260830T123600Z
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub date: String,

    /// The region of the server [default: the one that the request's own scope names]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// The service of the server [default: the one that the request's own scope names]
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,

    /// A host by which clients know the server, if a proxy changed `Host`; several can be given
    #[arg(long, alias = "external_host", value_name = "HOST")]
    pub external_host: Vec<String>,

    /// How the request was sent; it determines the default port
    #[arg(long, value_enum, value_name = "SCHEME", default_value = "https")]
    pub scheme: Scheme,

    /// Accept paths with `.` and `..`, as AWS does
    #[arg(long, alias = "accept_dot_segments")]
    pub accept_dot_segments: bool,

    /// Accept signed headers that appear more than once, as AWS does
    #[arg(long, alias = "accept_repeated_headers")]
    pub accept_repeated_headers: bool,

    /// If the signature doesn't match, print the canonical request and the string to sign that were computed
    #[arg(short, long)]
    pub verbose: bool,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub transport: TransportArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scheme {
    Http,
    Https,
}

const HELP: &str = "\
Examples:
  A request that was just signed, with the credentials of a profile:
    countersign verify request.http --profile dev
  An old capture, at its own time:
    countersign verify --date request capture.http
  What a server behind a proxy computes:
    countersign verify request.http --external-host api.example.com --region us-east-1 --service execute-api

The checks have numbers; the first one that fails is printed:
   1  valid HTTP, within the limits              12  signed headers are present
   2  single headers appear once                 13  `Connection` lists no signed header
   3  one signature, in header or query          14  signed single-valued headers appear once
   4  the algorithm                              15  no dot segments in the path
   5  every parameter of the signature           16  no repeated parameters (not checked here)
   6  signed headers, credential, signature      17  the time, and the lifetime of a presigned URL
   7  the form of the time                       18  the scope: date, region, service
   8  the form of x-amz-content-sha256           19  the payload hash is accepted by the service
   9  no other Authorization in a presigned one  20  the access key and the session token
  10  Host and authority are the same            21  the signature
  11  everything that has to be signed is        22  the body

Line ends may be LF or CRLF. The body has the length of Content-Length, is decoded if it is sent in chunks
(`Transfer-Encoding: chunked`), or extends to the end of the file. An aws-chunked body is verified chunk by chunk.

Exit codes:
  0 accepted   1 refused   2 an error: wrong usage, no credentials, or the input can't be read";
