use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::seconds;

/// What `gate` and `proxy` share: where they listen, what they write, and their limits.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct ServeArgs {
    /// The address to listen on. An address other than loopback is reachable from the network
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Serve TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub cert: Option<PathBuf>,

    /// The private key of --cert (PEM)
    #[arg(long, alias = "key_file", value_name = "FILE", requires = "cert")]
    pub key_file: Option<PathBuf>,

    /// Serve /healthz, /readyz and /metrics (Prometheus) on this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub management: Option<SocketAddr>,

    /// Append the access log, one JSON object per line, to this file; `-` is standard error, `none` writes none
    #[arg(long, alias = "access_log", value_name = "FILE", default_value = "-")]
    pub access_log: String,

    /// How long requests may still take after SIGTERM or SIGINT, in seconds
    #[arg(long, alias = "shutdown_timeout", value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub shutdown_timeout: Duration,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// The limits of `gate` and `proxy`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Connections at the same time. More wait until one is closed
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), default_value = "1024")]
    pub max_connections: u32,

    /// Bytes of the request line and all headers
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(8192..=1 << 20), default_value = "65536")]
    pub max_header_bytes: u32,

    /// Bytes of a body that is held in memory until it is verified or signed
    #[arg(long, value_name = "BYTES", default_value = "10485760")]
    pub max_body_bytes: usize,

    /// Bytes of all bodies together that are held in memory until they are verified or signed
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..), default_value = "268435456")]
    pub max_buffered_bytes: u32,

    /// Bytes of the files of all upload forms together that are kept on disk until they are complete
    #[arg(long, value_name = "BYTES", default_value = "1073741824")]
    pub max_spooled_bytes: u64,

    /// Time for the headers of a request, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub header_timeout: Duration,

    /// Time without a byte from the client or to it, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub idle_timeout: Duration,

    /// Time without a byte in either direction of a WebSocket connection, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "600")]
    pub websocket_idle_timeout: Duration,

    /// Time for a whole request, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "900")]
    pub max_time: Duration,

    /// Time to connect to the upstream, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub connect_timeout: Duration,

    /// Time without progress at the upstream, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub upstream_timeout: Duration,
}
