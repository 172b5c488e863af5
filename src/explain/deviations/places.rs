//! Regions and services that requests are signed for by mistake.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::endpoint::Endpoint;

/// The regions of AWS, and what stands in place of one.
#[rustfmt::skip]
const REGIONS: &[&str] = &[
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "eu-west-2", "eu-west-3",
    "eu-north-1", "eu-south-1", "eu-south-2", "eu-central-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
    "ap-southeast-4", "ap-southeast-5", "ap-southeast-7", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-south-1", "ap-south-2", "ap-east-1", "ap-east-2", "sa-east-1", "ca-central-1", "ca-west-1", "me-south-1",
    "me-central-1", "il-central-1", "af-south-1", "mx-central-1", "cn-north-1", "cn-northwest-1", "us-gov-east-1",
    "us-gov-west-1", "", "us-east", "aws-global", "global", "auto", "default", "local", "undefined", "null", "None",
];

/// Services that share hosts, rules or names with others.
#[rustfmt::skip]
const SERVICES: &[&str] = &[
    "s3", "execute-api", "lambda", "es", "aoss", "dynamodb", "sts", "iam", "sqs", "sns", "ses", "email", "bedrock",
    "bedrock-runtime", "bedrock-agent", "bedrock-agentcore", "apigateway", "appsync", "iotdevicegateway", "iotdata",
    "iot", "s3express", "s3-outposts", "s3-object-lambda", "s3tables", "s3vectors", "glacier", "vpc-lattice-svcs",
    "vpc-lattice", "cloudfront", "route53", "events", "states", "monitoring", "logs", "ec2", "kms", "secretsmanager",
    "ssm", "kinesis", "firehose", "rds-db", "rds", "dsql", "elasticache", "kafka-cluster", "transcribe", "polly",
    "sagemaker", "neptune-db", "aps", "",
];

/// Other regions than the one that was claimed, and whether each is common.
pub(super) fn regions(claimed: &str, host: &str) -> Vec<(String, bool)> {
    let endpoint = Endpoint::parse(host);
    let of_host = endpoint.as_ref().and_then(Endpoint::region);
    let upper = claimed.to_ascii_uppercase();
    let common = of_host.into_iter().chain(["us-east-1"]);
    others(claimed, common, REGIONS.iter().copied().chain([upper.as_str()]).chain(host.split('.')))
}

/// Other services than the one that was claimed, and whether each is common.
pub(super) fn services(claimed: &str, host: &str) -> Vec<(String, bool)> {
    let of_host = Endpoint::parse(host).map(|endpoint| endpoint.service());
    let upper = claimed.to_ascii_uppercase();
    let common = of_host.into_iter().chain(["s3", "execute-api"]);
    others(claimed, common, SERVICES.iter().copied().chain([upper.as_str()]).chain(host.split('.')))
}

/// Each once.
fn others<'n>(
    claimed: &str,
    common: impl Iterator<Item = &'n str>,
    rare: impl Iterator<Item = &'n str>,
) -> Vec<(String, bool)> {
    let mut all: Vec<(String, bool)> = Vec::new();
    let names = common.map(|name| (name, true)).chain(rare.take(MOST_NAMES).map(|name| (name, false)));
    for (name, is_common) in names {
        if name != claimed && !all.iter().any(|(known, _)| known == name) {
            all.push((name.to_string(), is_common));
        }
    }
    all
}

/// How many of the rare names are tried: a host may have many labels.
const MOST_NAMES: usize = 64;
