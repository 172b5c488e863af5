//! Where requests go, by the service and the region that they are signed for.

use countersign::Endpoint;
use http::HeaderValue;

use crate::args::TransportArgs;
use crate::args::resign::ResignArgs;
use crate::args::serve::LimitArgs;
use crate::failure::Failure;
use crate::serve::forward::Upstream;

/// The place of the region in a URL of `--upstream-for`.
const REGION: &str = "{region}";

/// All upstreams. They are known from the start: nothing in a request adds to them.
pub struct Targets {
    list: Vec<Target>,
    services: Vec<String>,
    regions: Vec<String>,
}

/// An upstream.
pub struct Target {
    service: String,
    /// `None` if it serves all regions.
    region: Option<String>,
    pub upstream: Upstream,
    /// The same for event streams.
    pub events: Upstream,
    /// As it is signed and sent.
    pub host: HeaderValue,
}

/// What the flags say. `service` and `region` are those of `--service` and `--region`.
pub struct Flags<'f> {
    pub upstream: Option<&'f str>,
    pub service: Option<&'f str>,
    pub region: Option<&'f str>,
    pub resign: &'f ResignArgs,
}

impl Targets {
    pub fn new(flags: &Flags<'_>, transport: &TransportArgs, limits: &LimitArgs) -> Result<Self, Failure> {
        if flags.region.is_some_and(|region| region.contains(['*', ','])) {
            let problem = "a region set can't replace the region of the client";
            return Err(Failure::usage(format!(
                "--region: {problem}; clients that sign with SigV4A choose it themselves"
            )));
        }
        let pairs = pairs(flags)?;
        let regions = regions(flags, &pairs)?;
        let mut targets = Self { list: Vec::new(), services: Vec::new(), regions };
        for (service, url) in pairs {
            if targets.services.contains(&service) {
                return Err(Failure::usage(format!("there are several upstreams for the service {service}")));
            }
            if url.contains(REGION) && flags.region.is_some() {
                let problem = "is the region of the client, and --region another one; leave one of them out";
                return Err(Failure::usage(format!("{{region}} in --upstream-for {problem}")));
            }
            if url.contains(REGION) {
                for region in targets.regions.clone() {
                    let url = url.replace(REGION, &region);
                    targets.list.push(Target::new(&service, Some(region), &url, transport, limits)?);
                }
            } else {
                targets.list.push(Target::new(&service, None, &url, transport, limits)?);
            }
            targets.services.push(service);
        }
        Ok(targets)
    }

    /// `region` is `None` for SigV4A, whose signatures are for a set of regions.
    pub fn find(&self, service: &str, region: Option<&str>) -> Option<&Target> {
        let is_for = |target: &&Target| {
            target.service == service && target.region.as_deref().is_none_or(|own| region == Some(own))
        };
        self.list.iter().find(is_for)
    }

    pub fn services(&self) -> &[String] {
        &self.services
    }

    pub fn regions(&self) -> &[String] {
        &self.regions
    }
}

impl Target {
    fn new(
        service: &str,
        region: Option<String>,
        url: &str,
        transport: &TransportArgs,
        limits: &LimitArgs,
    ) -> Result<Self, Failure> {
        let upstream = Upstream::new(url, transport, limits)?;
        let events = Upstream::with_http2(url, transport, limits)?;
        let host = HeaderValue::from_str(&upstream.host()).map_err(Failure::usage)?;
        Ok(Self { service: service.into(), region, upstream, events, host })
    }
}

/// Services and URLs.
fn pairs(flags: &Flags<'_>) -> Result<Vec<(String, String)>, Failure> {
    if let Some(url) = flags.upstream {
        let host = host_of(url);
        let found = Endpoint::parse(host);
        let service = flags.service.or(found.as_ref().map(Endpoint::service)).ok_or_else(|| {
            let named = "name the service that clients sign for, for example with --service s3";
            Failure::usage(format!("the service can't be read from the host {host}; {named}"))
        })?;
        return Ok(vec![(service.into(), url.into())]);
    }
    if flags.resign.upstream_for.is_empty() {
        return Err(Failure::usage("--resign needs --upstream or --upstream-for; with --allow-host, it can't be used"));
    }
    if flags.service.is_some() {
        return Err(Failure::usage("--service can't be used with --upstream-for, which names the services"));
    }
    let parse = |pair: &String| match pair.split_once('=') {
        Some((service, url)) if !service.is_empty() && !url.is_empty() => Ok((service.to_owned(), url.to_owned())),
        _ => Err(Failure::usage(format!("--upstream-for {pair:?}: write SERVICE=URL"))),
    };
    flags.resign.upstream_for.iter().map(parse).collect()
}

fn regions(flags: &Flags<'_>, pairs: &[(String, String)]) -> Result<Vec<String>, Failure> {
    if !flags.resign.client_region.is_empty() {
        return Ok(flags.resign.client_region.clone());
    }
    let of_host = || {
        let endpoints = pairs.iter().map(|(_, url)| Endpoint::parse(host_of(url)));
        let found: Vec<_> = endpoints.map(|endpoint| endpoint?.region().map(str::to_owned)).collect();
        let first = found.first()?.clone()?;
        found.iter().all(|region| region.as_ref() == Some(&first)).then_some(first)
    };
    let region = flags.region.map(str::to_owned).or_else(of_host);
    region.map(|region| vec![region]).ok_or_else(|| {
        let several = "several can be given";
        Failure::usage(format!("name the regions that clients may sign for, with --client-region us-east-1; {several}"))
    })
}

/// The host without scheme, port and path.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(
        upstream: Option<&str>,
        service: Option<&str>,
        region: Option<&str>,
        resign: &ResignArgs,
    ) -> Result<Targets, Failure> {
        Targets::new(&Flags { upstream, service, region, resign }, &TransportArgs::default(), &limits())
    }

    fn limits() -> LimitArgs {
        #[derive(clap::Parser)]
        struct Own {
            #[command(flatten)]
            limits: LimitArgs,
        }
        <Own as clap::Parser>::parse_from(["own"]).limits
    }

    fn resign(upstream_for: &[&str], client_region: &[&str]) -> ResignArgs {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        ResignArgs { upstream_for: owned(upstream_for), client_region: owned(client_region), ..ResignArgs::default() }
    }

    #[test]
    fn service_and_region_select_the_upstream() {
        let flags = resign(&["s3=http://s3.{region}.test", "sqs=http://sqs.test:99/base"], &["us-east-1", "eu-west-1"]);
        let targets = targets(None, None, None, &flags).unwrap();
        let host =
            |service, region| targets.find(service, region).map(|target| target.host.to_str().unwrap().to_owned());
        assert_eq!(host("s3", Some("eu-west-1")).as_deref(), Some("s3.eu-west-1.test"));
        assert_eq!(host("sqs", Some("eu-west-1")).as_deref(), Some("sqs.test:99"));
        assert_eq!(host("sqs", None).as_deref(), Some("sqs.test:99"));
        for (service, region) in [("s3", None), ("s3", Some("us-west-1")), ("sns", Some("us-east-1"))] {
            assert_eq!(host(service, region), None, "{service} {region:?}");
        }
    }

    #[test]
    fn the_host_of_the_upstream_names_service_and_region() {
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com:443/dev";
        let found = targets(Some(url), None, None, &resign(&[], &[])).unwrap();
        assert_eq!(
            (found.services(), found.regions()),
            (&["execute-api".to_owned()][..], &["eu-west-1".to_owned()][..])
        );
        assert_eq!(
            found.find("execute-api", Some("eu-west-1")).unwrap().host,
            "abc.execute-api.eu-west-1.amazonaws.com"
        );
        let found = targets(Some("http://127.0.0.1:9000"), Some("s3"), Some("us-west-2"), &resign(&[], &[])).unwrap();
        assert_eq!(found.regions(), ["us-west-2"]);
    }

    #[test]
    fn what_is_missing_or_ambiguous_is_named() {
        let message = |upstream, service, flags: &ResignArgs| {
            targets(upstream, service, None, flags).map(|_| ()).unwrap_err().to_string()
        };
        assert!(message(Some("http://127.0.0.1:9000"), None, &resign(&[], &["us-east-1"])).contains("--service"));
        assert!(message(Some("http://127.0.0.1:9000"), Some("s3"), &resign(&[], &[])).contains("--client-region"));
        assert!(message(None, None, &resign(&[], &[])).contains("--upstream-for"));
        let both = targets(None, None, Some("us-east-1"), &resign(&["s3=http://s3.{region}.test"], &["us-east-1"]));
        assert!(both.map(|_| ()).unwrap_err().to_string().contains("--region"));
        assert!(message(None, Some("s3"), &resign(&["s3=http://a.test"], &["us-east-1"])).contains("--service"));
        let set = targets(None, None, Some("us-*"), &resign(&["s3=http://a.test"], &["us-east-1"]));
        assert!(set.map(|_| ()).unwrap_err().to_string().contains("region set"));
        for wrong in ["s3", "=http://a.test", "s3="] {
            assert!(message(None, None, &resign(&[wrong], &["us-east-1"])).contains("SERVICE=URL"), "{wrong}");
        }
        let twice = resign(&["s3=http://a.test", "s3=http://b.test"], &["us-east-1"]);
        assert!(message(None, None, &twice).contains("several upstreams"));
    }
}
