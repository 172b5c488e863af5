//! Connection tokens.

mod codecommit;

use std::process::ExitCode;
use std::time::Duration;

use countersign::tokens::{self, Token, TokenError};
use countersign::{Credentials, Endpoint, Timestamp};
use serde_json::json;

use crate::args::time::extended;
use crate::args::token::{
    BedrockArgs, DsqlArgs, EksArgs, EksFormat, ElasticacheArgs, FormatArgs, RdsArgs, SesSmtpArgs, SignerArgs,
    TokenFormat, TokenKind, TranscribeArgs,
};
use crate::args::{TokenArgs, TransportArgs};
use crate::credentials;
use crate::failure::Failure;
use crate::output::Output;

pub fn run(args: &TokenArgs) -> Result<ExitCode, Failure> {
    match &args.kind {
        TokenKind::Rds(args) => rds(args),
        TokenKind::Dsql(args) => dsql(args),
        TokenKind::Elasticache(args) => elasticache(args),
        TokenKind::Memorydb(args) => Maker::new(&args.signer, None)?.print(&args.format, |maker| {
            tokens::memorydb(&maker.credentials, &maker.region, &args.cluster, &args.username, maker.now)
        }),
        TokenKind::Msk(args) => Maker::new(&args.signer, None)?
            .print(&args.format, |maker| tokens::msk(&maker.credentials, &maker.region, &args.user_agent, maker.now)),
        TokenKind::Eks(args) => eks(args),
        TokenKind::Iot(args) => Maker::new(&args.signer, Some(&args.endpoint))?.print(&args.format, |maker| {
            tokens::iot_mqtt(&maker.credentials, &maker.region, &args.endpoint, maker.now)
        }),
        TokenKind::Transcribe(args) => transcribe(args),
        TokenKind::Vault(args) => {
            Maker::with_default(&args.signer, None, Some("aws-global"))?.print(&args.format, |maker| {
                let (role, server_id) = (args.role.as_deref(), args.server_id.as_deref());
                tokens::vault(&maker.credentials, &maker.region, role, server_id, maker.now)
            })
        }
        TokenKind::Codecommit(args) => codecommit::run(args),
        TokenKind::Bedrock(args) => bedrock(args),
        TokenKind::SesSmtp(args) => ses_smtp(args),
    }
}

/// What a token is made with.
struct Maker {
    credentials: Credentials,
    region: String,
    now: Timestamp,
    is_verbose: bool,
    output: Output,
}

impl Maker {
    /// The region is that of the flag, of the host if it is AWS's, or of the configuration.
    fn new(args: &SignerArgs, host: Option<&str>) -> Result<Self, Failure> {
        Self::with_default(args, host, None)
    }

    /// `default` comes before the configuration.
    fn with_default(args: &SignerArgs, host: Option<&str>, default: Option<&str>) -> Result<Self, Failure> {
        let found = credentials::find(&args.credentials, &TransportArgs::default())?;
        let endpoint = host.and_then(Endpoint::parse);
        let of_host = endpoint.as_ref().and_then(Endpoint::region);
        let candidates = [
            (args.region.as_deref(), "the command line"),
            (of_host, "the host name"),
            (default, "the default of this token"),
            (found.region.as_deref(), "the environment or the profile"),
        ];
        let Some((region, place)) = candidates.into_iter().find_map(|(region, place)| Some((region?, place))) else {
            let place = host.map(|host| format!(" can't be read from the host {host:?}, and none")).unwrap_or_default();
            return Err(Failure::usage(format!(
                "the region{place} is not configured; name it, for example with --region us-east-1"
            )));
        };
        let output = Output::new();
        if args.verbose {
            output.note(&format!("region: {region}, from {place}"));
            output.note(&format!("credentials: {}\n{}", found.credentials.access_key_id(), found.origin));
        }
        let now = args.date.now();
        Ok(Self { region: region.to_owned(), credentials: found.credentials, now, is_verbose: args.verbose, output })
    }

    fn print(
        self,
        format: &FormatArgs,
        make: impl Fn(&Self) -> Result<Token, TokenError>,
    ) -> Result<ExitCode, Failure> {
        let token = self.make(make)?;
        self.print_as(format.format, &token)
    }

    fn make(&self, make: impl Fn(&Self) -> Result<Token, TokenError>) -> Result<Token, Failure> {
        let token = make(self).map_err(failure)?;
        if self.is_verbose {
            self.output.note(&format!("expires: {}", extended(token.expires_at())));
        }
        Ok(token)
    }

    fn print_as(&self, format: TokenFormat, token: &Token) -> Result<ExitCode, Failure> {
        let text = match format {
            TokenFormat::Token => token.to_string(),
            TokenFormat::Json => json!({
                "token": token.as_str(),
                "expires_at": extended(token.expires_at()),
                "expires_at_ms": token.expires_at_millis(),
            })
            .to_string(),
        };
        self.output.print(&format!("{text}\n"))?;
        Ok(ExitCode::SUCCESS)
    }

    /// A lifetime that was asked for, or that people rely on for hours, may end early.
    fn warn_if_shorter(&self, token: &Token, expires_in: Duration) {
        let wanted = self.now.saturating_add(i64::try_from(expires_in.as_secs()).unwrap_or(i64::MAX));
        if token.expires_at() < wanted {
            let end = extended(token.expires_at());
            self.output.warning(&format!("the credentials expire at {end}, and the token with them"));
        }
    }
}

/// What was typed is wrong, unless the credentials are.
fn failure(error: TokenError) -> Failure {
    match error {
        TokenError::Sign(_) | TokenError::Temporary => Failure::sign(error),
        _ => Failure::usage(error),
    }
}

fn rds(args: &RdsArgs) -> Result<ExitCode, Failure> {
    let (host, port) = split_port(&args.endpoint);
    let port = match (port, args.port) {
        (Some(_), Some(_)) => return Err(Failure::usage("the port is given twice: in the endpoint and with --port")),
        (Some(port), None) => port.parse().map_err(|_| Failure::usage("the port is not a number from 1 to 65535"))?,
        (None, Some(port)) => port,
        (None, None) => {
            return Err(Failure::usage(
                "the port is missing, which is part of the token; add it to the endpoint, e.g. :5432",
            ));
        }
    };
    Maker::new(&args.signer, Some(host))?.print(&args.format, |maker| {
        tokens::rds(&maker.credentials, &maker.region, host, port, &args.username, maker.now)
    })
}

/// Splits `HOST:PORT`. An IPv6 address has brackets; what isn't an endpoint is left for the token's own check.
fn split_port(endpoint: &str) -> (&str, Option<&str>) {
    match endpoint.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') && host.ends_with(']') => (host, Some(port)),
        _ => (endpoint, None),
    }
}

fn dsql(args: &DsqlArgs) -> Result<ExitCode, Failure> {
    let maker = Maker::new(&args.signer, Some(&args.host))?;
    let make = if args.admin { tokens::dsql_admin } else { tokens::dsql };
    let token = maker.make(|maker| make(&maker.credentials, &maker.region, &args.host, args.expires, maker.now))?;
    maker.warn_if_shorter(&token, args.expires);
    maker.print_as(args.format.format, &token)
}

fn elasticache(args: &ElasticacheArgs) -> Result<ExitCode, Failure> {
    let make = if args.serverless { tokens::elasticache_serverless } else { tokens::elasticache };
    Maker::new(&args.signer, None)?
        .print(&args.format, |maker| make(&maker.credentials, &maker.region, &args.cache, &args.username, maker.now))
}

fn eks(args: &EksArgs) -> Result<ExitCode, Failure> {
    let maker = Maker::new(&args.signer, None)?;
    let token = maker.make(|maker| tokens::eks(&maker.credentials, &maker.region, &args.cluster, maker.now))?;
    match args.format {
        EksFormat::Token => maker.print_as(TokenFormat::Token, &token),
        EksFormat::Json => maker.print_as(TokenFormat::Json, &token),
        EksFormat::ExecCredential => {
            maker.output.print(&format!("{}\n", *tokens::exec_credential(&token)))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn transcribe(args: &TranscribeArgs) -> Result<ExitCode, Failure> {
    let parameters = args.parameters.iter().map(|parameter| parameter.split_once('='));
    let Some(parameters) = parameters.collect::<Option<Vec<_>>>() else {
        return Err(Failure::usage("a parameter has no `=`; write NAME=VALUE, e.g. language-code=en-US"));
    };
    Maker::new(&args.signer, None)?
        .print(&args.format, |maker| tokens::transcribe(&maker.credentials, &maker.region, &parameters, maker.now))
}

fn bedrock(args: &BedrockArgs) -> Result<ExitCode, Failure> {
    let maker = Maker::new(&args.signer, None)?;
    let token = maker.make(|maker| tokens::bedrock(&maker.credentials, &maker.region, args.expires, maker.now))?;
    maker.warn_if_shorter(&token, args.expires);
    maker.print_as(args.format.format, &token)
}

fn ses_smtp(args: &SesSmtpArgs) -> Result<ExitCode, Failure> {
    let maker = Maker::new(&args.signer, None)?;
    let password = tokens::ses_smtp_password(&maker.credentials, &maker.region).map_err(failure)?;
    let text = match args.format.format {
        TokenFormat::Token => password.to_string(),
        TokenFormat::Json => {
            let username = maker.credentials.access_key_id();
            json!({ "username": username, "token": *password, "expires_at": null, "expires_at_ms": null }).to_string()
        }
    };
    maker.output.print(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}
