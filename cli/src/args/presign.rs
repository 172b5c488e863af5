use std::time::Duration;

use clap::Args;

use super::time::{DateArgs, duration};
use super::{CredentialArgs, ScopeArgs};

/// Print a presigned URL, which anyone can use until it expires
///
/// S3 doesn't check the body unless --payload-hash is given; most other services accept only an empty body.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct PresignArgs {
    /// The URL, encoded: https, http, wss or ws. Without a scheme it is https
    pub url: String,

    /// How long the URL is valid: 1s to 7d. It ends earlier if the credentials do, which is said on standard error
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15m")]
    pub expires: Duration,

    /// The method that the URL is for
    #[arg(short = 'X', long, visible_alias = "method", value_name = "METHOD", default_value = "GET")]
    pub request: String,

    /// A header to sign, `Name: value`. It must be sent with the URL
    #[arg(short = 'H', long = "header", value_name = "HEADER", allow_hyphen_values = true)]
    pub headers: Vec<String>,

    /// The SHA-256 of the body that must be sent, in hexadecimal, or `unsigned` for any body [default: by service]
    #[arg(long, alias = "payload_hash", value_name = "SHA256|unsigned")]
    pub payload_hash: Option<String>,

    /// Print canonical request, string to sign, and what was read from where, on standard error
    #[arg(short, long)]
    pub verbose: bool,

    #[command(flatten)]
    pub date: DateArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,

    #[command(flatten)]
    pub credentials: CredentialArgs,
}

const HELP: &str = "\
Examples:
  A download link for an hour:
    countersign presign --expires 1h https://bucket.s3.eu-central-1.amazonaws.com/report.pdf
  An upload of a JPEG:
    URL=\"$(countersign presign -X PUT -H 'Content-Type: image/jpeg' https://bucket.s3.eu-central-1.amazonaws.com/a.jpg)\"
    curl -X PUT -H 'Content-Type: image/jpeg' --data-binary @a.jpg \"$URL\"
  A WebSocket API with IAM authorization:
    countersign presign --expires 5m wss://abc123.execute-api.us-east-1.amazonaws.com/production

Exit codes:
  0 the URL is on standard output   1 it can't be signed   2 wrong usage or URL   23 the output can't be written
  26 a file can't be read";
