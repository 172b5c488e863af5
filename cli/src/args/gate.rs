use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::serve::ServeArgs;

/// Verify signatures in front of a server that doesn't
///
/// Answers requests that aren't signed as AWS would, and forwards the others to the upstream, with the access key id of
/// the caller in a header. The keys are read from a file, and again when it changes.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct GateArgs {
    /// The server to forward to, such as http://127.0.0.1:3000
    #[arg(long, value_name = "URL", required_unless_present = "auth_request", conflicts_with = "auth_request")]
    pub upstream: Option<String>,

    /// The service that requests have to be signed for, such as execute-api or s3
    #[arg(long, value_name = "SERVICE")]
    pub service: String,

    /// The region that requests have to be signed for; several can be given
    #[arg(long, value_name = "REGION", required = true)]
    pub region: Vec<String>,

    /// The keys file (TOML)
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,

    /// Whether a method and path prefix need a signature: `GET /dev/public=NONE`, `ANY /dev/public/admin=AWS_IAM`;
    /// several can be given. The longest prefix decides, and AWS_IAM if there is none
    #[arg(long, value_name = "METHOD PATH=AUTHORIZATION")]
    pub route: Vec<String>,

    /// The stage with which all paths begin, as at API Gateway. It is signed, and not forwarded
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,

    /// With --service s3, a host below which buckets are, such as s3.local for BUCKET.s3.local; several can be given. The
    /// upstream gets /BUCKET/KEY, or the host and path of the client with --preserve-host; allow-lists and routes always
    /// see /BUCKET/KEY
    #[arg(long, alias = "virtual_host", value_name = "HOST", conflicts_with = "stage")]
    pub virtual_host: Vec<String>,

    /// Also accept SigV4A signatures whose region set includes a --region. The keys are the same
    #[arg(long)]
    pub sigv4a: bool,

    /// A host by which clients know this server, if a proxy in front of it changes `Host`; several can be given
    #[arg(long, alias = "external_host", value_name = "HOST")]
    pub external_host: Vec<String>,

    /// The header in which the upstream gets the access key id of the caller
    #[arg(long, alias = "caller_header", value_name = "NAME", default_value = "x-countersign-caller")]
    pub caller_header: String,

    /// Forward the headers and query parameters of the signature, too
    #[arg(long, alias = "keep_signature")]
    pub keep_signature: bool,

    /// Forward the `Host` of the client instead of the upstream's
    #[arg(long, alias = "preserve_host")]
    pub preserve_host: bool,

    /// Leave the canonical request out of refusals. AWS includes it
    #[arg(long, alias = "no_echo")]
    pub no_echo: bool,

    /// Refuse a signature that was used before, also that of an upload form: `memory` remembers them in this process; a URL
    /// such as redis://127.0.0.1:6379/0 (rediss:// with TLS) in Redis or Valkey, which several gates can share. The password is
    /// better set as COUNTERSIGN_REPLAY_PASSWORD than in the URL
    #[arg(long, value_name = "memory|URL")]
    pub replay: Option<Replay>,

    /// How many signatures `--replay memory` remembers. While they are all within their window, requests are answered with
    /// 503
    #[arg(long, alias = "replay_entries", value_name = "NUMBER", default_value = "1000000", requires = "replay",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub replay_entries: u32,

    /// What happens to requests while the server of --replay can't be asked: refuse answers them with 503, allow forwards
    /// them, so that signatures can be used again
    #[arg(
        long,
        alias = "replay_unavailable",
        value_enum,
        value_name = "DECISION",
        default_value = "refuse",
        requires = "replay"
    )]
    pub replay_unavailable: Unavailable,

    /// How long the server of --replay is waited for, in seconds
    #[arg(long, alias = "replay_timeout", value_name = "SECONDS", value_parser = super::seconds, default_value = "1",
          requires = "replay")]
    pub replay_timeout: Duration,

    /// What the keys at the server of --replay begin with. Gates share signatures if it is the same
    #[arg(
        long,
        alias = "replay_prefix",
        value_name = "TEXT",
        default_value = "countersign:replay:",
        requires = "replay"
    )]
    pub replay_prefix: String,

    /// Trust only the certificates in this PEM file at the server of --replay
    #[arg(long, alias = "replay_cacert", value_name = "FILE", requires = "replay")]
    pub replay_cacert: Option<PathBuf>,

    /// Answer 204, 401 or 403 for the request that the headers X-Original-Method and X-Original-URI describe, as nginx's
    /// auth_request needs it, instead of forwarding. What was signed is then an empty body: don't forward bodies to the
    /// application (in nginx, `proxy_pass_request_body off`)
    #[arg(long, alias = "auth_request")]
    pub auth_request: bool,

    /// With --auth-request, accept requests with a body, although the body never arrives here and isn't verified
    #[arg(long, alias = "allow_unchecked_bodies", requires = "auth_request")]
    pub allow_unchecked_bodies: bool,

    /// Accept any certificate of the upstream
    #[arg(short = 'k', long)]
    pub insecure: bool,

    /// Trust only the certificates in this PEM file at the upstream
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    #[command(flatten)]
    pub serve: ServeArgs,
}

/// Where used signatures are kept: `memory` or a URL. It is checked later, as an error of the parser would show it, and
/// it may contain a password.
#[derive(Clone)]
pub struct Replay(pub String);

impl From<&str> for Replay {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replay([redacted])")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unavailable {
    Refuse,
    Allow,
}

const HELP: &str = "\
The keys file:
  [[key]]
  access_key_id = \"AKIDEXAMPLE\"
  secret_access_key_env = \"EXAMPLE_SECRET\"   # or secret_access_key, or secret_access_key_file
  [[key.allow]]                              # none: everything is allowed
  methods = [\"GET\"]
  path_prefixes = [\"/dev/reports\"]

  [[route]]                                  # like --route
  path_prefix = \"/dev/public\"
  methods = [\"GET\"]
  authorization = \"NONE\"

It is read again when it changes, and on SIGHUP. If a line is wrong, the old keys stay.

With --replay and a URL, the server must not drop keys before they expire
(maxmemory-policy noeviction), or their signatures can be used again.

Examples:
  countersign gate --upstream http://127.0.0.1:3000 --service execute-api --region us-east-1 --keys keys.toml
  countersign gate --upstream http://127.0.0.1:9000 --service s3 --region us-east-1 --keys keys.toml \\
      --virtual-host s3.local --replay redis://127.0.0.1:6379/0";
