use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::resign::ResignArgs;
use super::serve::ServeArgs;
use super::{CredentialArgs, ScopeArgs};

/// Sign the requests of programs that can't
///
/// Signs each request with the credentials that `countersign credentials` shows, and forwards it to one upstream or to
/// hosts of a list. Credentials are refreshed before they expire.
#[derive(Args, Debug)]
#[command(after_long_help = HELP, mut_arg("listen", |listen| listen.default_value("127.0.0.1:8081")))]
pub struct ProxyArgs {
    /// The server to forward to, such as https://ID.execute-api.us-east-1.amazonaws.com. The `Host` of requests doesn't
    /// change it
    #[arg(long, value_name = "URL", required_unless_present_any = ["allow_host", "upstream_for"], conflicts_with = "allow_host")]
    pub upstream: Option<String>,

    /// Forward to the host that a request names, if it is this one; several can be given. `*.example.com` allows all hosts
    /// below a domain
    #[arg(long, alias = "allow_host", value_name = "HOST")]
    pub allow_host: Vec<String>,

    /// How to connect to the hosts of --allow-host, whatever the scheme of the request
    #[arg(long, alias = "upstream_scheme", value_enum, value_name = "SCHEME", default_value_t = UpstreamScheme::Https,
          conflicts_with = "upstream")]
    pub upstream_scheme: UpstreamScheme,

    /// How bodies are signed
    #[arg(long, value_enum, value_name = "HOW", default_value_t = BodyMode::Auto)]
    pub body: BodyMode,

    /// Don't forward this header, or with `NAME*` all whose names begin with this; several can be given
    #[arg(long, alias = "strip_header", value_name = "NAME")]
    pub strip_header: Vec<String>,

    /// Don't forward this query parameter, or with `NAME*` all whose names begin with this; several can be given
    #[arg(long, alias = "strip_query", value_name = "NAME")]
    pub strip_query: Vec<String>,

    /// A host by which clients reach this proxy, other than an address of this machine; several can be given
    #[arg(long, alias = "external_host", value_name = "HOST")]
    pub external_host: Vec<String>,

    /// Accept requests of web pages of this origin, such as http://localhost:3000; several can be given. Those of other
    /// origins are refused: a page could otherwise use your credentials as soon as it is opened
    #[arg(long, alias = "allow_origin", value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,

    /// Verify requests with the keys of --keys, and sign them again with the credentials that each key names
    #[arg(long, requires = "keys", conflicts_with_all = [
        "profile", "credentials_stdin", "user", "access_key", "aws_sigv4", "allow_host", "body", "strip_header",
        "strip_query", "allow_origin",
    ])]
    pub resign: bool,

    /// The keys file (TOML) of --resign
    #[arg(long, value_name = "FILE", requires = "resign")]
    pub keys: Option<PathBuf>,

    /// Accept any certificate of the upstream
    #[arg(short = 'k', long)]
    pub insecure: bool,

    /// Trust only the certificates in this PEM file at the upstream
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    #[command(flatten)]
    pub again: ResignArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub serve: ServeArgs,
}

/// How to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UpstreamScheme {
    Http,
    Https,
}

impl UpstreamScheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// How bodies are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BodyMode {
    /// As `buffer`, but S3 uploads of more than 1 MiB are streamed with a checksum
    Auto,
    /// Hashed in memory before they are sent, up to --max-body-bytes
    Buffer,
    /// Streamed and not signed; only few services accept it
    Unsigned,
    /// Streamed in signed chunks; only S3 and compatible stores accept it
    Chunked,
}

pub const HELP: &str = "\
Who can reach the proxy can use your credentials at the upstream:
  - It listens on loopback. All programs and users of this machine can reach it.
  - It refuses what pages in a browser send: requests of other origins (see
    --allow-origin), and those for a name that isn't this machine's (see
    --external-host), which a page could have pointed here.

What arrives, and what is sent:
  - Signatures that arrive are replaced, whatever key they are of.
  - Bodies that a client has signed in chunks (aws-chunked) need --resign.
  - Forwarded and trace headers are passed on, and not signed.
  - Redirects are passed on, and not followed.
  - WebSocket handshakes are signed, and their connections passed on.

With --resign, clients have placeholder keys, and reach the proxy by
AWS_ENDPOINT_URL. Each request is verified, compared with the allow-list of its
key, and signed again with the credentials that [key.resign] names:
  [[key]]
  access_key_id = \"AKIDSANDBOX\"
  secret_access_key = \"placeholder\"
  [[key.allow]]                # none: everything is allowed
  hosts = [\"s3.eu-west-1.amazonaws.com\"]   # of the upstream
  methods = [\"GET\", \"PUT\"]
  path_prefixes = [\"/bucket/sandbox\"]
  services = [\"s3\"]
  max_expires = 900            # seconds, of presigned URLs and upload forms
  [key.resign]
  profile = \"real\"           # or environment = true, or a key and its secret
The file is read again when it changes, and on SIGHUP.
A prefix is about the path, not about the query, and not about operations that
services have in headers or the body (SQS, DynamoDB): with a whole bucket, a key
may set ?policy and ?acl. Give the real credentials no more than is needed.

Examples:
  countersign proxy --profile dev \\
    --upstream https://abc.execute-api.us-east-1.amazonaws.com
  curl http://127.0.0.1:8081/dev/list

  countersign proxy --allow-host '*.s3.eu-west-1.amazonaws.com'
  curl -x http://127.0.0.1:8081 http://b.s3.eu-west-1.amazonaws.com/report.pdf

  countersign proxy --resign --keys keys.toml --client-region eu-west-1 \\
    --upstream-for s3=https://s3.{region}.amazonaws.com \\
    --upstream-for sqs=https://sqs.{region}.amazonaws.com
  AWS_ENDPOINT_URL=http://127.0.0.1:8081 aws s3 ls";
