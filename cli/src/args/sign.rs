use clap::{Args, ValueEnum};

use super::time::DateArgs;
use super::{BodyArgs, CredentialArgs, ScopeArgs};

/// Sign a request and print the headers to send with it
///
/// Signed are the host, Content-Type, and every x-amz- header. The request must be sent exactly as given here: another
/// body, path or query, or another value of a signed header, makes the signature invalid. So does waiting: it is valid
/// for 5 or 15 minutes, depending on the service.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct SignArgs {
    /// The URL, encoded. Without a scheme it is https
    pub url: String,

    /// The method [default: GET, POST with -d, PUT with -T, HEAD with -I]
    #[arg(short = 'X', long, visible_alias = "method", value_name = "METHOD")]
    pub request: Option<String>,

    /// Sign for HEAD
    #[arg(short = 'I', long)]
    pub head: bool,

    /// A header that will be sent, `Name: value`; `@FILE` reads one per line, `Name;` is an empty one. It is not printed
    /// with --format text or json, so send it as well
    #[arg(short = 'H', long = "header", value_name = "HEADER", allow_hyphen_values = true)]
    pub headers: Vec<String>,

    /// Sign every header that is not changed on the way, instead of host, Content-Type, Content-MD5 and x-amz-
    #[arg(long, alias = "sign_all_headers")]
    pub sign_all_headers: bool,

    /// How the signature is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = SignFormat::Text)]
    pub format: SignFormat,

    /// Print canonical request, string to sign, and what was read from where, on standard error
    #[arg(short, long)]
    pub verbose: bool,

    #[command(flatten)]
    pub date: DateArgs,

    #[command(flatten)]
    pub body: BodyArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,

    #[command(flatten)]
    pub credentials: CredentialArgs,
}

/// How the signature is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignFormat {
    /// The headers to add, `name: value` line by line
    Text,
    /// JSON with `method`, `url` and `headers`
    Json,
    /// A curl command for a POSIX shell, with all headers and the body
    Curl,
}

const HELP: &str = "\
Examples:
  With any program that reads headers from a file, here curl:
    URL='https://abc123.execute-api.us-east-1.amazonaws.com/dev/get-list?limit=25'
    curl -H @<(countersign sign \"$URL\") \"$URL\"
  A command to hand on; it works for a few minutes, and contains the session token if there is one:
    countersign sign --format curl https://dynamodb.eu-west-1.amazonaws.com/ -d '{}' \\
      -H 'X-Amz-Target: DynamoDB_20120810.ListTables' -H 'Content-Type: application/x-amz-json-1.0'
  For several regions, with SigV4A:
    countersign sign --region us-east-1,eu-west-1 --service s3 https://example.com/key
  How a signature is made, step by step, always the same:
    countersign sign -v --date 20150830T123600Z 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'

Exit codes:
  0 the headers are on standard output   1 the request can't be signed   2 wrong usage or URL
  23 the output can't be written   26 a file can't be read";
