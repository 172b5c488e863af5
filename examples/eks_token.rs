//! Prints the credential for an EKS cluster that `kubectl` reads from a credential plugin, like `aws eks get-token`.
//!
//! ```text
//! cargo run --example eks_token -- --region eu-west-1 --cluster-name prod
//! ```
//!
//! In the kubeconfig:
//!
//! ```text
//! users:
//! - name: prod
//!   user:
//!     exec:
//!       apiVersion: client.authentication.k8s.io/v1beta1
//!       command: eks_token
//!       args: [--region, eu-west-1, --cluster-name, prod]
//!       interactiveMode: Never
//! ```
//!
//! Kubernetes: <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use std::error::Error;
use std::process::ExitCode;

use countersign::{Credentials, Timestamp, tokens};

const USAGE: &str = "\
usage: eks_token --cluster-name NAME [--region REGION]    (without arguments: sample values)
  --cluster-name NAME  the name of the cluster, not its ARN or endpoint
  --region REGION      the region of the cluster (default: AWS_REGION)
Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from the environment.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--help"] {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let printed = if arguments.is_empty() {
        eprintln!("no cluster given; using sample values and the example key from AWS's documentation (see --help)\n");
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .map_err(Into::into)
            .and_then(|credentials| print(&credentials, "eu-west-1", "prod"))
    } else {
        match parse(arguments.into_iter()) {
            Ok((region, cluster)) => Credentials::from_env()
                .map_err(Into::into)
                .and_then(|credentials| print(&credentials, &region, &cluster)),
            Err(problem) => {
                eprintln!("{problem}\n\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    };
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(String, String), String> {
    let names = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let mut region = names.into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    let mut cluster = String::new();
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value"));
        match option.as_str() {
            "--region" => region = value()?,
            "--cluster-name" => cluster = value()?,
            _ => return Err(format!("unknown option {option}")),
        }
    }
    Ok((region, cluster))
}

fn print(credentials: &Credentials, region: &str, cluster: &str) -> Result<(), Box<dyn Error>> {
    let token = tokens::eks(credentials, region, cluster, Timestamp::now())?;
    println!("{}", tokens::exec_credential(&token).as_str());
    Ok(())
}
