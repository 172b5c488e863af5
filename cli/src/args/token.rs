use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::CredentialArgs;
use super::time::{DateArgs, duration};

/// Print a connection token for a database, broker or cluster
///
/// The server accepts it as a password. Creating a token sends nothing. Anyone who has it can connect until it expires.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct TokenArgs {
    #[command(subcommand)]
    pub kind: TokenKind,
}

#[derive(Debug, Subcommand)]
pub enum TokenKind {
    Rds(RdsArgs),
    Dsql(DsqlArgs),
    Elasticache(ElasticacheArgs),
    Memorydb(MemorydbArgs),
    Msk(MskArgs),
    Eks(EksArgs),
    Iot(IotArgs),
    Transcribe(TranscribeArgs),
    Vault(VaultArgs),
    Codecommit(CodecommitArgs),
    Bedrock(BedrockArgs),
    SesSmtp(SesSmtpArgs),
}

/// The flags of every kind of token.
#[derive(Args, Clone, Debug, Default)]
pub struct SignerArgs {
    /// The region [default: from the host, the environment or the profile]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// Print on standard error where the region and the credentials were read from, and when the token expires
    #[arg(short, long)]
    pub verbose: bool,

    #[command(flatten)]
    pub date: DateArgs,

    #[command(flatten)]
    pub credentials: CredentialArgs,
}

/// How a token is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// Only the token
    Token,
    /// JSON with `token`, `expires_at`, `expires_at_ms` and, if it belongs to the token, `username`
    Json,
}

#[derive(Args, Clone, Debug)]
pub struct FormatArgs {
    /// How the token is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = TokenFormat::Token)]
    pub format: TokenFormat,
}

/// RDS, Aurora and RDS Proxy: the password, valid for 15 minutes
#[derive(Args, Debug)]
#[command(after_help = "Example:
  export PGPASSWORD=\"$(countersign token rds mydb.abc.eu-west-1.rds.amazonaws.com:5432 --username app)\"
  psql 'host=mydb.abc.eu-west-1.rds.amazonaws.com user=app dbname=app sslmode=verify-full sslrootcert=system'")]
pub struct RdsArgs {
    /// The endpoint of the database, not an alias, with its port
    #[arg(value_name = "HOST[:PORT]")]
    pub endpoint: String,

    /// The port, if the endpoint doesn't have it
    #[arg(long)]
    pub port: Option<u16>,

    /// The database user
    #[arg(long, value_name = "NAME")]
    pub username: String,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// Aurora DSQL: the password, valid for 15 minutes or --expires
#[derive(Args, Debug)]
#[command(after_help = "Example:
  PGPASSWORD=\"$(countersign token dsql abc.dsql.us-east-1.on.aws --admin)\" \\
    psql 'host=abc.dsql.us-east-1.on.aws user=admin dbname=postgres sslmode=verify-full sslrootcert=system'")]
pub struct DsqlArgs {
    /// The endpoint of the cluster
    pub host: String,

    /// For the role `admin`
    #[arg(long)]
    pub admin: bool,

    /// How long the token is valid: 1s to 7d
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15m")]
    pub expires: Duration,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// ElastiCache: the password of a user with IAM authentication, valid for 15 minutes
#[derive(Args, Debug)]
#[command(after_help = "Example:
  countersign token elasticache my-cache --username app --region eu-west-1")]
pub struct ElasticacheArgs {
    /// The name of the cache, not its endpoint
    pub cache: String,

    /// The user
    #[arg(long, value_name = "NAME")]
    pub username: String,

    /// For a serverless cache
    #[arg(long)]
    pub serverless: bool,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// MemoryDB: the password of a user with IAM authentication, valid for 15 minutes
#[derive(Args, Debug)]
#[command(after_help = "Example:
  countersign token memorydb my-cluster --username app --region eu-west-1")]
pub struct MemorydbArgs {
    /// The name of the cluster, not its endpoint
    pub cluster: String,

    /// The user
    #[arg(long, value_name = "NAME")]
    pub username: String,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// MSK: the token of SASL/OAUTHBEARER, valid for 15 minutes
#[derive(Args, Debug)]
#[command(after_help = "Example:
  countersign token msk --region eu-west-1 --format json    # expires_at_ms is the lifetime that Kafka clients ask for")]
pub struct MskArgs {
    /// What the cluster's logs show as the client
    #[arg(long, value_name = "TEXT", default_value = concat!("countersign/", env!("CARGO_PKG_VERSION")))]
    pub user_agent: String,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// EKS: the credential that kubectl reads from a plugin, valid for 15 minutes
#[derive(Args, Debug)]
#[command(after_help = "Example (in the kubeconfig):
  users:
  - name: prod
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1beta1
        interactiveMode: Never
        command: countersign
        args: [token, eks, prod, --region, eu-west-1]")]
pub struct EksArgs {
    /// The name of the cluster
    pub cluster: String,

    /// How the token is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = EksFormat::ExecCredential)]
    pub format: EksFormat,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// How a token for EKS is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EksFormat {
    /// The JSON that kubectl reads
    ExecCredential,
    /// Only the token
    Token,
    /// JSON with `token`, `expires_at` and `expires_at_ms`
    Json,
}

/// IoT Core: the URL for MQTT over WebSocket
#[derive(Args, Debug)]
#[command(after_help = "Example:
  countersign token iot a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com")]
pub struct IotArgs {
    /// The output of `aws iot describe-endpoint --endpoint-type iot:Data-ATS`
    #[arg(value_name = "HOST")]
    pub endpoint: String,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// Transcribe: the URL for streaming over WebSocket, valid for 5 minutes
#[derive(Args, Debug)]
#[command(after_help = "Example:
  countersign token transcribe language-code=en-US media-encoding=pcm sample-rate=16000 --region us-west-2")]
pub struct TranscribeArgs {
    /// The parameters of the stream, not encoded
    #[arg(value_name = "NAME=VALUE", required = true)]
    pub parameters: Vec<String>,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// Vault: the body of a login with the AWS auth method, valid for 15 minutes
#[derive(Args, Debug)]
#[command(
    after_help = "Without --region, the request is for the global endpoint of STS, which is Vault's default. If \
`sts_region` is configured in Vault, name that region.

Example:
  countersign token vault --role dev | curl --json @- https://vault.example.com/v1/auth/aws/login"
)]
pub struct VaultArgs {
    /// The role of Vault [default: the name of the IAM role or user]
    #[arg(long)]
    pub role: Option<String>,

    /// Vault's `iam_server_id_header_value`
    #[arg(long, value_name = "ID")]
    pub server_id: Option<String>,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// CodeCommit: a credential helper for git
///
/// It answers only for CodeCommit over HTTPS: user name and password contain the access key id and the session token,
/// which no other host may see.
#[derive(Args, Debug)]
#[command(after_help = "Example (once; git runs it afterwards):
  git config --global credential.https://git-codecommit.eu-west-1.amazonaws.com.helper '!countersign token codecommit'
  git config --global credential.https://git-codecommit.eu-west-1.amazonaws.com.useHttpPath true")]
pub struct CodecommitArgs {
    /// What git asks for. `get` reads git's `key=value` lines from standard input; everything else is ignored
    #[arg(value_name = "get|store|erase")]
    pub action: String,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// Bedrock: a short-term API key, the bearer token for one region, valid for 12 hours or --expires
#[derive(Args, Debug)]
#[command(after_help = "Example:
  export AWS_BEARER_TOKEN_BEDROCK=\"$(countersign token bedrock --region us-east-1 --expires 1h)\"")]
pub struct BedrockArgs {
    /// How long the key is valid: 1s to 12h
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "12h")]
    pub expires: Duration,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

/// SES: the SMTP password of an IAM user, valid as long as the access key
///
/// The SMTP user name is the access key id. Temporary credentials have no SMTP password.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  countersign token ses-smtp --region us-east-1 --profile mailer --format json")]
pub struct SesSmtpArgs {
    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub signer: SignerArgs,
}

const HELP: &str = "\
Examples:
  countersign token rds mydb.abc.eu-west-1.rds.amazonaws.com:5432 --username app
  countersign token eks prod --region eu-west-1
  countersign token KIND --help    shows how each kind is used

Exit codes:
  0 the token is on standard output   1 it can't be made   2 wrong usage   23 the output can't be written
  26 standard input can't be read";
