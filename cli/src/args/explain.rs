use std::path::PathBuf;

use clap::Args;

use super::{BodyArgs, CredentialArgs, PayloadMode, ScopeArgs, Secret, TransportArgs};

/// Explain why a request was refused
///
/// Reads the answer of the server, and what is known of the request, and prints the causes, most certain first: each
/// with its evidence and fix. Nothing is sent.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct ExplainArgs {
    /// The answer: raw HTTP, the output of `curl -i` or `curl -v`, or a HAR file; `-` is standard input [default: -]
    #[arg(value_name = "RESPONSE")]
    pub response: Option<PathBuf>,

    /// RESPONSE is only a body, and this was its status
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    pub status: Option<u16>,

    /// With --status: a header of the answer, such as `x-amzn-ErrorType: …`
    #[arg(long, alias = "response_header", value_name = "HEADER", requires = "status")]
    pub response_header: Vec<String>,

    /// The entry of a HAR file, counted from 0 [default: the last with a status of 400 or more]
    #[arg(long, value_name = "NUMBER")]
    pub entry: Option<usize>,

    /// Print the explanation as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub sent: SentArgs,

    #[command(flatten)]
    pub compare: CompareArgs,

    /// Look for credentials as the other subcommands do, and name the mistake of another signer. Without this flag, only
    /// credentials that are given or needed for --url are used
    #[arg(long, alias = "with_credentials", help_heading = "Credentials")]
    pub with_credentials: bool,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,

    #[command(flatten)]
    pub transport: TransportArgs,
}

/// What is known of the request.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "The request that was sent")]
pub struct SentArgs {
    /// A file with the request: a curl command, raw HTTP, the output of `curl -v`, or HAR; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["curl", "url"])]
    pub sent: Option<PathBuf>,

    /// The curl command. No shell is run, and no variable is expanded
    #[arg(long, value_name = "COMMAND", conflicts_with = "url", allow_hyphen_values = true)]
    pub curl: Option<Secret>,

    /// The URL: the request is signed as `countersign request` does, and compared with what the server computed
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// With --url: the method [default: GET, POST with -d]
    #[arg(short = 'X', long, visible_alias = "method", value_name = "METHOD", requires = "url")]
    pub request: Option<String>,

    /// With --url: a header, `Name: value`
    #[arg(short = 'H', long = "header", value_name = "HEADER", allow_hyphen_values = true, requires = "url")]
    pub headers: Vec<String>,

    /// With --url: when it was signed [default: the time in the answer]
    #[arg(long, value_name = "TIME", requires = "url")]
    pub date: Option<String>,

    /// With --url: the body, as for `countersign request`
    #[arg(short, long, value_name = "DATA", alias = "data-ascii", allow_hyphen_values = true, requires = "url")]
    pub data: Vec<String>,

    /// With --url: like -d, but `@FILE` is sent byte for byte
    #[arg(long, alias = "data_binary", value_name = "DATA", allow_hyphen_values = true, requires = "url")]
    pub data_binary: Vec<String>,

    /// With --url: like -d, but `@` has no meaning
    #[arg(long, alias = "data_raw", value_name = "DATA", allow_hyphen_values = true, requires = "url")]
    pub data_raw: Vec<String>,

    /// With --url: a file that is sent with PUT
    #[arg(short = 'T', long, alias = "upload_file", value_name = "FILE", requires = "url",
          conflicts_with_all = ["data", "data_binary", "data_raw"])]
    pub upload_file: Option<PathBuf>,

    /// With --url: what is signed in place of the body [default: hashed]
    #[arg(long, value_enum, value_name = "MODE", requires = "url")]
    pub payload: Option<PayloadMode>,
}

impl SentArgs {
    /// The flags of the body, as `countersign request` has them.
    pub fn body(&self) -> BodyArgs {
        BodyArgs {
            data: self.data.clone(),
            data_binary: self.data_binary.clone(),
            data_raw: self.data_raw.clone(),
            upload_file: self.upload_file.clone(),
            payload: self.payload,
            ..BodyArgs::default()
        }
    }
}

/// Two texts instead of an answer.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Comparing two canonical requests")]
pub struct CompareArgs {
    /// The canonical request, or string to sign, that was signed
    #[arg(long, alias = "canonical_ours", value_name = "FILE", requires = "canonical_theirs",
          conflicts_with_all = ["response", "status", "entry", "sent", "curl", "url"])]
    pub canonical_ours: Option<PathBuf>,

    /// The one that the verifier computed
    #[arg(long, alias = "canonical_theirs", value_name = "FILE", requires = "canonical_ours")]
    pub canonical_theirs: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  The last answer of curl, with the request that it printed:
    curl -sv https://abc123.execute-api.us-east-1.amazonaws.com/dev/list 2>&1 | countersign explain
  A body from a log, and the command that caused it:
    countersign explain --status 403 --sent command.txt answer.json
  A HAR file from the browser:
    countersign explain api.har
  Compare what the server computed with what we would sign:
    countersign explain answer.txt --url 'https://abc123.execute-api.us-east-1.amazonaws.com/dev/list?limit=25'
  Name the mistake of another signer (the secret is needed, and not printed):
    countersign explain answer.txt --sent request.http --profile dev
  Compare two canonical requests:
    countersign explain --canonical-ours ours.txt --canonical-theirs theirs.txt

How certain a cause is:
  Without a prefix it was observed: the answer states it, or it is a difference between two texts. \"likely\" is inferred.
  \"possibly\" is one of several explanations that fit.

Exit codes:
  0 a cause was named   1 no cause was named   2 an error: wrong usage, or the input can't be read";
