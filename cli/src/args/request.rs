use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::{CredentialArgs, ScopeArgs, TransportArgs};

/// Sign a request and send it
///
/// The URL is sent exactly as typed. If the answer is a refusal (400 or higher), its cause is explained on standard
/// error.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct RequestArgs {
    /// The URL, encoded. Without a scheme it is https
    pub url: String,

    /// The method [default: GET, POST with -d, PUT with -T, HEAD with -I]
    #[arg(short = 'X', long, visible_alias = "method", value_name = "METHOD")]
    pub request: Option<String>,

    /// A header, `Name: value`; `@FILE` reads one per line, `Name;` sends an empty one, `Name:` removes a default. Host,
    /// Content-Type, Content-MD5 and X-Amz-… are signed
    #[arg(short = 'H', long = "header", value_name = "HEADER", allow_hyphen_values = true)]
    pub headers: Vec<String>,

    /// Sign all headers, except those that proxies and load balancers change
    #[arg(long, alias = "sign_all_headers")]
    pub sign_all_headers: bool,

    #[command(flatten)]
    pub body: BodyArgs,

    #[command(flatten)]
    pub show: ShowArgs,

    #[command(flatten)]
    pub act: ActArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub transport: TransportArgs,
}

/// The flags of the body.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Body")]
pub struct BodyArgs {
    /// First, because the values are taken from what was parsed, field by field.
    #[command(flatten)]
    pub order: DataOrder,

    /// The body; `@FILE` reads a file without its line breaks, `@-` standard input. Several are joined with `&`
    #[arg(short, long, value_name = "DATA", alias = "data-ascii", allow_hyphen_values = true)]
    pub data: Vec<String>,

    /// Like -d, but `@FILE` is sent byte for byte
    #[arg(long, alias = "data_binary", value_name = "DATA", allow_hyphen_values = true)]
    pub data_binary: Vec<String>,

    /// Like -d, but `@` has no meaning
    #[arg(long, alias = "data_raw", value_name = "DATA", allow_hyphen_values = true)]
    pub data_raw: Vec<String>,

    /// Like -d, but encodes: `content`, `=content`, `name=content`, `@FILE` or `name@FILE`
    #[arg(long, alias = "data_urlencode", value_name = "DATA", allow_hyphen_values = true)]
    pub data_urlencode: Vec<String>,

    /// A JSON body, with `Content-Type` and `Accept` application/json
    #[arg(long, value_name = "DATA", allow_hyphen_values = true)]
    pub json: Vec<String>,

    /// Send a file of any size with PUT; `-` is standard input. Its name is appended to a URL that ends in `/`
    #[arg(short = 'T', long, alias = "upload_file", value_name = "FILE",
          conflicts_with_all = ["data", "data_binary", "data_raw", "data_urlencode", "json", "get"])]
    pub upload_file: Option<PathBuf>,

    /// Send the data of -d in the query of a GET
    #[arg(short = 'G', long)]
    pub get: bool,

    /// What is signed in place of the body [default: hashed; chunked for S3 with --body-size]
    #[arg(long, value_enum, value_name = "MODE")]
    pub payload: Option<PayloadMode>,

    /// A checksum in the trailer, with --payload chunked (the default then) or unsigned: crc32, crc32c, crc64nvme, sha1,
    /// sha256, sha512, md5, xxhash64, xxhash3 or xxhash128
    #[arg(long, value_name = "NAME")]
    pub checksum: Option<String>,

    /// The size of standard input in bytes, so that it can be sent while it is read. Otherwise, more than 1 MiB from a pipe
    /// goes to a temporary file first
    #[arg(long, alias = "body_size", value_name = "BYTES")]
    pub body_size: Option<u64>,
}

/// Where the values of -d and its relatives stand on the command line: curl joins them in the order typed.
#[derive(Clone, Debug, Default)]
pub struct DataOrder {
    pub data: Vec<usize>,
    pub binary: Vec<usize>,
    pub raw: Vec<usize>,
    pub urlencode: Vec<usize>,
}

impl FromArgMatches for DataOrder {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut order = Self::default();
        order.update_from_arg_matches(matches)?;
        Ok(order)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let positions = |id| matches.indices_of(id).into_iter().flatten().collect();
        *self = Self {
            data: positions("data"),
            binary: positions("data_binary"),
            raw: positions("data_raw"),
            urlencode: positions("data_urlencode"),
        };
        Ok(())
    }
}

impl Args for DataOrder {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// What is signed in place of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PayloadMode {
    /// The SHA-256 of the body. A file is read twice
    Hashed,
    /// Nothing: the body can be changed on the way. S3 accepts this over HTTPS
    Unsigned,
    /// Each chunk is signed while it is sent (S3)
    Chunked,
}

/// The flags of what is printed.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct ShowArgs {
    /// Write the body of the answer to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print status and headers before the body
    #[arg(short, long)]
    pub include: bool,

    /// Print how the request is signed, what was read from where, and the headers, without secrets
    #[arg(short, long)]
    pub verbose: bool,

    /// No progress bar, errors or explanations
    #[arg(short, long)]
    pub silent: bool,

    /// Print errors and explanations even with -s
    #[arg(short = 'S', long, alias = "show_error")]
    pub show_error: bool,

    /// Don't explain a refusal
    #[arg(long)]
    pub no_explain: bool,

    /// Print this after the answer; variables such as %{http_code}, %{size_download}, %{time_total}, %header{etag}
    #[arg(short, long, alias = "write_out", value_name = "FORMAT", allow_hyphen_values = true)]
    pub write_out: Option<String>,

    /// Exit with 22 if the status is 400 or higher, without printing the body
    #[arg(short, long)]
    pub fail: bool,

    /// Exit with 22 if the status is 400 or higher, and print the body
    #[arg(long, alias = "fail_with_body", conflicts_with = "fail")]
    pub fail_with_body: bool,
}

impl ShowArgs {
    /// Returns `true` if --fail or --fail-with-body makes this status an error.
    pub fn fails(&self, status: u16) -> bool {
        (self.fail || self.fail_with_body) && status >= 400
    }
}

/// The flags of what is done.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Sending")]
pub struct ActArgs {
    /// Send HEAD and print the headers
    #[arg(short = 'I', long)]
    pub head: bool,

    /// Follow redirects on the same host; each request is signed anew. A redirect to another host is never followed
    #[arg(short = 'L', long)]
    pub location: bool,

    /// The most redirects to follow
    #[arg(long, alias = "max_redirs", value_name = "NUMBER", default_value_t = 10)]
    pub max_redirs: u32,

    /// If the server refuses the time, sign with the server's time and send again, once
    #[arg(long, alias = "retry_skew")]
    pub retry_skew: bool,

    /// Print the signed request instead of sending it. It can be sent by anyone who sees it until it expires
    #[arg(long, visible_alias = "dry-run", alias = "dry_run", conflicts_with = "curl")]
    pub offline: bool,

    /// Print a curl command with the signed request instead of sending it. The warning of --offline applies
    #[arg(long)]
    pub curl: bool,
}

pub(super) const HELP: &str = "\
Examples:
  A route of API Gateway with IAM authorization:
    URL=https://abc123.execute-api.us-east-1.amazonaws.com/dev/get-list
    countersign request \"$URL?limit=25\"
  What the Test button of the API Gateway console does:
    URL=https://apigateway.us-east-1.amazonaws.com/restapis/ID
    countersign request -X POST $URL/resources/RESOURCE/methods/GET \\
      -d '{\"pathWithQueryString\": \"/get-list?limit=25\"}' \\
      -H 'Content-Type: application/json'
  DynamoDB:
    countersign request https://dynamodb.eu-west-1.amazonaws.com/ \\
      -H 'X-Amz-Target: DynamoDB_20120810.ListTables' \\
      -H 'Content-Type: application/x-amz-json-1.0' -d '{}'
  Upload from a pipe, signed chunk by chunk if its size is known; otherwise it
  is stored first:
    tar c . | countersign request -T - \\
      https://bucket.s3.eu-central-1.amazonaws.com/backup.tar
    head -c 1000000 /dev/zero | \\
      countersign request -T - --body-size 1000000 --checksum crc32 \\
      https://bucket.s3.eu-central-1.amazonaws.com/zeros

Exit codes:
   0 an answer arrived, whatever     1 the request can't be signed
     its status                      2 wrong usage or URL
   6 host not found                  7 no connection
  22 status 400 or more, --fail     23 the output can't be written
  26 a file can't be read           28 timeout
  35 TLS                            47 too many redirects
  56 connection broken              60 certificate refused";
