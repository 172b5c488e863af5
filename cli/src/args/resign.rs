use clap::Args;

/// What `proxy` needs only with `--resign`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Signing again")]
pub struct ResignArgs {
    /// The server for requests that are signed for a service, instead of --upstream: `s3=https://s3.{region}.amazonaws.com`.
    /// Several can be given; `{region}` stands for the region that the client signed for
    #[arg(long, alias = "upstream_for", value_name = "SERVICE=URL", requires = "resign", conflicts_with = "upstream")]
    pub upstream_for: Vec<String>,

    /// The regions that clients may sign for; several can be given. By default, that of --region, or of the upstream's host.
    /// Requests are signed again for the same region, or for --region
    #[arg(long, alias = "client_region", value_name = "REGION", requires = "resign")]
    pub client_region: Vec<String>,

    /// Clients of S3 name buckets in the host, as BUCKET.HOST; several can be given. The upstream gets /BUCKET/KEY, which is
    /// also what allow-lists see
    #[arg(long, alias = "virtual_host", value_name = "HOST", requires = "resign")]
    pub virtual_host: Vec<String>,

    /// Let clients call operations whose answers contain credentials, such as AssumeRole, CreateSession and CreateAccessKey.
    /// They could go around the proxy with them
    #[arg(long, alias = "allow_credentials_in_answers", requires = "resign")]
    pub allow_credentials_in_answers: bool,
}
