use super::partition::{AWS, Partition, is_region};
use super::services::{AFTER_REGION, ALL_REGIONS, GLOBAL, NAMED_ALIKE, SIGNED_AS, WITH_RESOURCE};
use super::*;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Host, service, region; `-` for a host that names no region.
#[rustfmt::skip]
const KINDS: &[(&str, &str, &str)] = &[
    // API Gateway, with its VPC endpoints
    ("abc123.execute-api.us-east-1.amazonaws.com", "execute-api", "us-east-1"),
    ("abc123-vpce-0a1b.execute-api.us-east-1.amazonaws.com", "execute-api", "us-east-1"),
    ("vpce-0a1b-2c3d.execute-api.us-east-1.vpce.amazonaws.com", "execute-api", "us-east-1"),
    ("vpce-0a1b-2c3d-us-east-1a.execute-api.us-east-1.vpce.amazonaws.com", "execute-api", "us-east-1"),
    ("abc123.execute-api.cn-north-1.amazonaws.com.cn", "execute-api", "cn-north-1"),
    ("abc123.execute-api.us-gov-west-1.amazonaws.com", "execute-api", "us-gov-west-1"),
    ("abc123.execute-api.eusc-de-east-1.amazonaws.eu", "execute-api", "eusc-de-east-1"),
    // Lambda
    ("abcdef.lambda-url.eu-west-1.on.aws", "lambda", "eu-west-1"),
    ("abcdef.lambda-url.us-gov-west-1.on.aws", "lambda", "us-gov-west-1"),
    ("lambda.eu-west-1.amazonaws.com", "lambda", "eu-west-1"),
    // S3
    ("s3.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("bucket.s3.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("a.bucket.s3.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("eu-west-1.s3.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("bucket.s3.dualstack.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("s3.dualstack.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("bucket.s3.dualstack.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"),
    ("bucket.s3-fips.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("s3-fips.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("bucket.s3-fips.dualstack.us-gov-east-1.amazonaws.com", "s3", "us-gov-east-1"),
    ("bucket.s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"),
    ("s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"),
    ("bucket.s3.us-iso-east-1.c2s.ic.gov", "s3", "us-iso-east-1"),
    ("bucket.s3.us-isob-east-1.sc2s.sgov.gov", "s3", "us-isob-east-1"),
    ("bucket.s3.us-isof-south-1.csp.hci.ic.gov", "s3", "us-isof-south-1"),
    ("bucket.s3.eu-isoe-west-1.cloud.adc-e.uk", "s3", "eu-isoe-west-1"),
    ("bucket.s3.eusc-de-east-1.amazonaws.eu", "s3", "eusc-de-east-1"),
    ("s3.amazonaws.com", "s3", "us-east-1"),
    ("bucket.s3.amazonaws.com", "s3", "us-east-1"),
    ("s3-external-1.amazonaws.com", "s3", "us-east-1"),
    ("s3-eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    ("s3-us-gov-west-1.amazonaws.com", "s3", "us-gov-west-1"),
    ("bucket.s3-eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    ("a.bucket.s3-us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("s3-fips-us-gov-west-1.amazonaws.com", "s3", "us-gov-west-1"),
    ("bucket.s3-accelerate.amazonaws.com", "s3", "-"),
    ("bucket.s3-accelerate.dualstack.amazonaws.com", "s3", "-"),
    ("ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("ap-123456789012.s3-accesspoint.dualstack.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("ap-123456789012.s3-accesspoint-fips.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("ap-123456789012.s3-accesspoint.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"),
    ("ap-123456789012.s3-accesspoint-fips.dualstack.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("alias.mrap.accesspoint.s3-global.amazonaws.com", "s3", "*"),
    ("123456789012.s3-control.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("123456789012.s3-control-fips.dualstack.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("ol-123456789012.s3-object-lambda.us-east-1.amazonaws.com", "s3-object-lambda", "us-east-1"),
    ("ol-123456789012.s3-object-lambda-fips.us-gov-east-1.amazonaws.com", "s3-object-lambda", "us-gov-east-1"),
    ("s3-outposts.us-east-1.amazonaws.com", "s3-outposts", "us-east-1"),
    ("s3-outposts.us-east-1.api.aws", "s3-outposts", "us-east-1"),
    ("ap-123456789012.op-01ac5d28a6a232904.s3-outposts.us-west-2.amazonaws.com", "s3-outposts", "us-west-2"),
    ("bucket--op-s3.ec2.s3-outposts.us-west-2.amazonaws.com", "s3-outposts", "us-west-2"),
    ("s3-outposts-fips.us-gov-west-1.amazonaws.com", "s3-outposts", "us-gov-west-1"),
    ("bucket--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "s3express", "us-west-2"),
    ("bucket--usw2-az1--x-s3.s3express-usw2-az1.dualstack.us-west-2.amazonaws.com", "s3express", "us-west-2"),
    ("bucket--use1-az4--x-s3.s3express-fips-use1-az4.us-east-1.amazonaws.com", "s3express", "us-east-1"),
    ("ap--usw2-az1--xa-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "s3express", "us-west-2"),
    ("bucket--usw2-az1--x-s3.s3express-control.us-west-2.amazonaws.com", "s3express", "us-west-2"),
    ("s3express-control.us-west-2.amazonaws.com", "s3express", "us-west-2"),
    ("s3express-control-dualstack.us-west-2.amazonaws.com", "s3express", "us-west-2"),
    ("bucket.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1"),
    ("bucket.vpce-0a1b-2c3d.s3.cn-north-1.vpce.amazonaws.com.cn", "s3", "cn-north-1"),
    ("vpce-bucket.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1"),
    ("ap-123456789012.accesspoint.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1"),
    ("123456789012.control.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1"),
    ("mybucket.bucket.vpce-0a1b-2c3d-us-east-1a.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1"),
    ("s3tables.us-east-1.amazonaws.com", "s3tables", "us-east-1"),
    ("s3vectors.us-east-1.api.aws", "s3vectors", "us-east-1"),
    // OpenSearch
    ("search-movies-abc.us-west-1.es.amazonaws.com", "es", "us-west-1"),
    ("vpc-movies-abc.cn-north-1.es.amazonaws.com.cn", "es", "cn-north-1"),
    ("vpc-movies-abc.us-gov-west-1.es.amazonaws.com", "es", "us-gov-west-1"),
    ("search-movies-abc.aos.us-west-1.on.aws", "es", "us-west-1"),
    ("es.us-west-1.amazonaws.com", "es", "us-west-1"),
    ("abc.us-east-1.aoss.amazonaws.com", "aoss", "us-east-1"),
    ("abc.aoss.us-east-1.on.aws", "aoss", "us-east-1"),
    ("aoss.us-east-1.amazonaws.com", "aoss", "us-east-1"),
    ("pipeline-abc.us-east-1.osis.amazonaws.com", "osis", "us-east-1"),
    ("search-movies-abc.us-east-1.cloudsearch.amazonaws.com", "cloudsearch", "us-east-1"),
    // Services that sign under another name
    ("bedrock-runtime.us-west-2.amazonaws.com", "bedrock", "us-west-2"),
    ("bedrock-runtime-fips.us-west-2.amazonaws.com", "bedrock", "us-west-2"),
    ("vpce-0a1b-2c3d.bedrock-runtime.us-west-2.vpce.amazonaws.com", "bedrock", "us-west-2"),
    ("runtime.sagemaker.us-east-1.amazonaws.com", "sagemaker", "us-east-1"),
    ("runtime-fips.sagemaker.us-east-1.amazonaws.com", "sagemaker", "us-east-1"),
    ("runtime.sagemaker.cn-north-1.amazonaws.com.cn", "sagemaker", "cn-north-1"),
    ("vpce-0a1b-2c3d.runtime.sagemaker.us-east-1.vpce.amazonaws.com", "sagemaker", "us-east-1"),
    ("abc.appsync-api.us-east-1.amazonaws.com", "appsync", "us-east-1"),
    ("abc.appsync-realtime-api.us-east-1.amazonaws.com", "appsync", "us-east-1"),
    ("appsync.us-east-1.amazonaws.com", "appsync", "us-east-1"),
    ("transcribestreaming.us-east-1.amazonaws.com:8443", "transcribe", "us-east-1"),
    ("transcribestreaming.cn-north-1.amazonaws.com.cn", "transcribe", "cn-north-1"),
    ("fips.transcribe.us-gov-west-1.amazonaws.com", "transcribe", "us-gov-west-1"),
    ("runtime.lex.us-east-1.amazonaws.com", "lex", "us-east-1"),
    ("runtime-v2-lex.us-east-1.amazonaws.com", "lex", "us-east-1"),
    ("abc.data.mediastore.us-east-1.amazonaws.com", "mediastore", "us-east-1"),
    ("data.mediastore.us-east-1.amazonaws.com", "mediastore", "us-east-1"),
    ("email.us-east-1.amazonaws.com", "ses", "us-east-1"),
    ("api.ecr.us-east-1.amazonaws.com", "ecr", "us-east-1"),
    ("ecr-fips.us-east-1.amazonaws.com", "ecr", "us-east-1"),
    ("vpce-0a1b-2c3d.api.ecr.us-east-1.vpce.amazonaws.com", "ecr", "us-east-1"),
    ("vpce-0a1b-2c3d.kms-fips.us-gov-west-1.vpce.amazonaws.com", "kms", "us-gov-west-1"),
    ("vpce-0a1b-2c3d.sqs.cn-north-1.vpce.amazonaws.com.cn", "sqs", "cn-north-1"),
    ("vpce-0a1b-2c3d.lambda.eusc-de-east-1.vpce.amazonaws.eu", "lambda", "eusc-de-east-1"),
    ("abc.gateway.bedrock-agentcore.us-east-1.amazonaws.com", "bedrock-agentcore", "us-east-1"),
    ("git-codecommit.us-east-1.amazonaws.com", "codecommit", "us-east-1"),
    ("streams.dynamodb.us-east-1.amazonaws.com", "dynamodb", "us-east-1"),
    ("participant.connect.us-east-1.amazonaws.com", "execute-api", "us-east-1"),
    // Services that sign under their own name
    ("monitoring.us-east-1.amazonaws.com", "monitoring", "us-east-1"),
    ("states.us-east-1.amazonaws.com", "states", "us-east-1"),
    ("kinesisvideo.us-east-1.amazonaws.com", "kinesisvideo", "us-east-1"),
    ("b-1a2b3c4d.kinesisvideo.us-east-1.amazonaws.com", "kinesisvideo", "us-east-1"),
    ("123456789012.data-kinesis.us-east-1.amazonaws.com", "kinesis", "us-east-1"),
    ("dynamodb.us-east-1.amazonaws.com", "dynamodb", "us-east-1"),
    ("dynamodb-fips.us-east-1.amazonaws.com", "dynamodb", "us-east-1"),
    ("dynamodb.us-east-1.api.aws", "dynamodb", "us-east-1"),
    ("dynamodb.cn-north-1.api.amazonwebservices.com.cn", "dynamodb", "cn-north-1"),
    ("dynamodb.eusc-de-east-1.api.amazonwebservices.eu", "dynamodb", "eusc-de-east-1"),
    ("dynamodb.us-iso-east-1.c2s.ic.gov", "dynamodb", "us-iso-east-1"),
    ("dynamodb.us-iso-east-1.api.aws.ic.gov", "dynamodb", "us-iso-east-1"),
    ("dynamodb.us-isob-east-1.sc2s.sgov.gov", "dynamodb", "us-isob-east-1"),
    ("dynamodb.us-isob-east-1.api.aws.scloud", "dynamodb", "us-isob-east-1"),
    ("dynamodb.eu-isoe-west-1.cloud.adc-e.uk", "dynamodb", "eu-isoe-west-1"),
    ("dynamodb.eu-isoe-west-1.api.cloud-aws.adc-e.uk", "dynamodb", "eu-isoe-west-1"),
    ("dynamodb.us-isof-south-1.csp.hci.ic.gov", "dynamodb", "us-isof-south-1"),
    ("dynamodb.us-isof-south-1.api.aws.hci.ic.gov", "dynamodb", "us-isof-south-1"),
    ("123456789012.ddb.us-east-1.amazonaws.com", "dynamodb", "us-east-1"),
    ("fips.batch.us-east-1.amazonaws.com", "batch", "us-east-1"),
    ("secretsmanager.il-central-1.amazonaws.com", "secretsmanager", "il-central-1"),
    ("abc.vpc-lattice-svcs.us-east-1.on.aws", "vpc-lattice-svcs", "us-east-1"),
    ("svc-0a1b.7d67968.vpc-lattice-svcs.us-east-1.on.aws", "vpc-lattice-svcs", "us-east-1"),
    // Databases
    ("rds.us-east-1.amazonaws.com", "rds", "us-east-1"),
    ("rds.us-gov-west-1.amazonaws.com", "rds", "us-gov-west-1"),
    ("db.abc123.us-east-1.rds.amazonaws.com:5432", "rds-db", "us-east-1"),
    ("proxy.proxy-abc123.us-east-1.rds.amazonaws.com", "rds-db", "us-east-1"),
    ("db.abc123.rds.cn-north-1.amazonaws.com.cn", "rds-db", "cn-north-1"),
    ("graph.cluster-abc.us-east-1.neptune.amazonaws.com:8182", "neptune-db", "us-east-1"),
    ("docdb-elastic.us-east-1.amazonaws.com", "docdb-elastic", "us-east-1"),
    ("abc.dsql.us-east-1.on.aws", "dsql", "us-east-1"),
    ("dsql.us-east-1.api.aws", "dsql", "us-east-1"),
    // IoT
    ("abc123-ats.iot.us-east-1.amazonaws.com", "iotdevicegateway", "us-east-1"),
    ("abc123.ats.iot.cn-north-1.amazonaws.com.cn", "iotdevicegateway", "cn-north-1"),
    ("abc123.iot.us-east-1.amazonaws.com", "iotdevicegateway", "us-east-1"),
    ("iot.us-east-1.amazonaws.com", "iot", "us-east-1"),
    ("data-ats.iot.us-east-1.amazonaws.com", "iotdata", "us-east-1"),
    ("data.iot.us-east-1.amazonaws.com", "iotdata", "us-east-1"),
    ("vpce-0a1b-2c3d.data.iot.us-east-1.vpce.amazonaws.com", "iotdata", "us-east-1"),
    // SQS
    ("sqs.us-east-1.amazonaws.com", "sqs", "us-east-1"),
    ("queue.amazonaws.com", "sqs", "us-east-1"),
    ("us-west-2.queue.amazonaws.com", "sqs", "us-west-2"),
    ("cn-north-1.queue.amazonaws.com.cn", "sqs", "cn-north-1"),
    // STS and the global services
    ("sts.amazonaws.com", "sts", "us-east-1"),
    ("sts.eu-west-1.amazonaws.com", "sts", "eu-west-1"),
    ("sts-fips.us-east-1.amazonaws.com", "sts", "us-east-1"),
    ("sts.cn-north-1.amazonaws.com.cn", "sts", "cn-north-1"),
    ("sts.us-gov-west-1.amazonaws.com", "sts", "us-gov-west-1"),
    ("sts.eusc-de-east-1.amazonaws.eu", "sts", "eusc-de-east-1"),
    ("iam.amazonaws.com", "iam", "us-east-1"),
    ("iam-fips.amazonaws.com", "iam", "us-east-1"),
    ("iam.global.api.aws", "iam", "us-east-1"),
    ("iam.cn-north-1.amazonaws.com.cn", "iam", "cn-north-1"),
    ("iam.amazonaws.com.cn", "iam", "cn-north-1"),
    ("iam.us-gov.amazonaws.com", "iam", "us-gov-west-1"),
    ("iam.eusc-de-east-1.amazonaws.eu", "iam", "eusc-de-east-1"),
    ("route53.amazonaws.com", "route53", "us-east-1"),
    ("route53.us-gov.amazonaws.com", "route53", "us-gov-west-1"),
    ("route53.us-gov.api.aws", "route53", "us-gov-west-1"),
    ("route53.amazonaws.com.cn", "route53", "cn-northwest-1"),
    ("route53.amazonaws.eu", "route53", "eusc-de-east-1"),
    ("route53.c2s.ic.gov", "route53", "us-iso-east-1"),
    ("route53.sc2s.sgov.gov", "route53", "us-isob-east-1"),
    ("route53.csp.hci.ic.gov", "route53", "us-isof-south-1"),
    ("route53.cloud.adc-e.uk", "route53", "eu-isoe-west-1"),
    ("cloudfront.amazonaws.com", "cloudfront", "us-east-1"),
    ("cloudfront.cn-northwest-1.amazonaws.com.cn", "cloudfront", "cn-northwest-1"),
    ("global.health.amazonaws.com", "health", "us-east-1"),
    ("budgets.global.sc2s.sgov.gov", "budgets", "us-isob-east-1"),
    // All regions
    ("123456789012.cloudfront-kvs.global.api.aws", "cloudfront-keyvaluestore", "*"),
    ("abc.endpoint.events.amazonaws.com", "events", "*"),
    ("abc.endpoints.email.amazonaws.com", "ses", "*"),
    ("abc.endpoints.email.global.api.aws", "ses", "*"),
];

const NOT_RECOGNISED: &[&str] = &[
    "",
    ".",
    "..",
    ":443",
    "localhost:8000",
    "127.0.0.1",
    "203.0.113.7:443",
    "10.0.0.1.amazonaws.com",
    "[2001:db8::1]",
    "[::1]:443",
    "example.com",
    "dynamodb.us-east-1.amazonaws.com.example.com",
    "amazonaws.com.evil.com",
    "s3.amazonaws.com.evil.com",
    "bucket.s3-us-west-2.amazonaws.com.evil.com",
    "abc.lambda-url.eu-west-1.on.aws.evil.com",
    "vpce-0a1b.s3.us-east-1.vpce.amazonaws.com.evil.com",
    "s3.us-east-1.amazonaws.com:443.evil.com",
    "notamazonaws.com",
    "s3.notamazonaws.com",
    "abc.lambda-url.eu-west-1.evilon.aws",
    "s3.us-east-1.amazonaws.co",
    "s3.us-east-1-amazonaws.com",
    "dynamodb.us-east-1.evilamazonaws.com",
    "amazonaws.com",
    "us-east-1.amazonaws.com",
    ".us-east-1.amazonaws.com",
    "dynamodb..us-east-1.amazonaws.com",
    "dynamodb.us-east-1.amazonaws.com..",
    "bucket..s3.us-east-1.amazonaws.com",
    ".s3.amazonaws.com",
    "s3.us-east-1..amazonaws.com",
    "dynamodb.us-east-1.amazonaws.com:",
    "dynamodb.us-east-1.amazonaws.com:x",
    "user@dynamodb.us-east-1.amazonaws.com",
    "https://dynamodb.us-east-1.amazonaws.com",
    "dynamodb.us-east-1.amazonaws.com/x",
    "dynamodb .us-east-1.amazonaws.com",
    "dynamodb.ü.amazonaws.com",
    "s3%2eus-east-1.amazonaws.com",
    "s3.us-east-1.amazonaws。com",
    // A region of another partition, or of none.
    "dynamodb.cn-north-1.amazonaws.com",
    "dynamodb.us-east-1.amazonaws.com.cn",
    "abc.lambda-url.cn-north-1.on.aws",
    "dynamodb.us-east-1.amazonaws.eu",
    "s3.us-east-1.c2s.ic.gov",
    "dynamodb.us-isob-east-1.c2s.ic.gov",
    "dynamodb.us-east.amazonaws.com",
    "dynamodb.us-east-1a.amazonaws.com",
    "dynamodb.xx-east-1.amazonaws.com",
    "dynamodb.us--1.amazonaws.com",
    "dynamodb.us-east-.amazonaws.com",
    // Services that are not listed, and labels that no service has.
    "unheard-of.us-east-1.amazonaws.com",
    "table.dynamodb.us-east-1.amazonaws.com",
    "a.b.execute-api.us-east-1.amazonaws.com",
    "a.b.es.amazonaws.com",
    "execute-api.on.aws",
    "lambda-url.us-east-1.on.aws",
    "bucket.xs3.us-east-1.amazonaws.com",
    "bucket.s3x.us-east-1.amazonaws.com",
    "dynamodb-fipsx.us-east-1.amazonaws.com",
    "sts.amazonaws.com.cn",
    "iam.us-gov.amazonaws.com.cn",
    "iam.global.amazonaws.com.example",
    // Hosts that don't accept signed requests.
    "bucket.s3-website-us-east-1.amazonaws.com",
    "bucket.s3-website.eu-central-1.amazonaws.com",
    "bucket.s3-website-us-gov-west-1.amazonaws.com",
    "bucket.s3-website.cn-north-1.amazonaws.com.cn",
    "bucket.s3-website.dualstack.us-gov-east-1.amazonaws.com",
    "abc123.credentials.iot.us-east-1.amazonaws.com",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com",
    "123456789012.dkr-ecr.us-east-1.on.aws",
    "0A1B2C.gr7.us-east-1.eks.amazonaws.com",
    "cluster.cluster-abc.us-east-1.docdb.amazonaws.com",
    "email-smtp.us-east-1.amazonaws.com",
    "ec2-203-0-113-25.us-west-2.compute.amazonaws.com",
    "my-lb-1234567890.us-west-2.elb.amazonaws.com",
    "vpce-0a1b.vpce-svc-0c2d.us-east-1.vpce.amazonaws.com",
    "vpce-0a1b.unheard-of.us-east-1.vpce.amazonaws.com",
    "execute-api.us-east-1.vpce.amazonaws.com",
    "us-east-1.vpce.amazonaws.com",
    "vpce.amazonaws.com",
    "s3-accelerate.amazonaws.com",
    "mrap.accesspoint.s3-global.amazonaws.com",
    "d111111abcdef8.cloudfront.net",
];

fn parsed(host: &str) -> Option<(&'static str, String)> {
    let endpoint = Endpoint::parse(host)?;
    Some((endpoint.service(), endpoint.region().unwrap_or("-").into()))
}

#[test]
fn known_hosts_are_parsed() {
    for (host, service, region) in KINDS {
        assert_eq!(parsed(host), Some((*service, (*region).into())), "{host}");
        assert_eq!(parsed(&host.to_ascii_uppercase()), parsed(host), "{host} in upper case");
        let (name, port) = host.split_once(':').unwrap_or((host, "443"));
        assert_eq!(parsed(&format!("{name}.:{port}")), parsed(host), "{host} with a dot and a port");
    }
}

#[test]
fn unknown_hosts_are_not_recognised() {
    for host in NOT_RECOGNISED {
        assert_eq!(parsed(host), None, "{host}");
    }
    let long = format!("{}.s3.us-east-1.amazonaws.com", "a.".repeat(120));
    assert_eq!(parsed(&long), None);
    assert_eq!(parsed(&format!("x{}", ".s3.us-east-1.amazonaws.com".repeat(100))), None);
}

#[test]
fn mutated_hosts_never_panic() {
    let mut read = 0;
    for (host, ..) in KINDS {
        for position in 0..=host.len() {
            let (start, end) = host.split_at(position);
            let rest = end.get(1..).unwrap_or_default();
            let changed = [".", "-", ":", "é", "\0", "vpce-"].map(|text| format!("{start}{text}{rest}"));
            for host in changed.iter().map(String::as_str).chain([start, end]) {
                let Some((service, region)) = parsed(host) else { continue };
                read += 1;
                assert!(!service.is_empty(), "{host}");
                assert!(is_region(&region) || ["*", "-"].contains(&region.as_str()), "{host}: {region}");
            }
        }
    }
    assert!(read > 0);
}

/// Every row of every table is matched by the host that it describes.
#[test]
fn every_table_row_is_reachable() {
    for name in NAMED_ALIKE {
        let expected = Some((*name, "eu-west-1".into()));
        for host in [format!("{name}.eu-west-1.amazonaws.com"), format!("{name}-fips.eu-west-1.api.aws")] {
            assert_eq!(parsed(&host), expected, "{host}");
        }
    }
    for (names, service) in SIGNED_AS {
        assert_eq!(
            parsed(&format!("{names}.eu-west-1.amazonaws.com")),
            Some((*service, "eu-west-1".into())),
            "{names}"
        );
    }
    for (names, _, service) in WITH_RESOURCE {
        let host = format!("a.{names}.eu-west-1.amazonaws.com");
        assert_eq!(parsed(&host), Some((*service, "eu-west-1".into())), "{host}");
    }
    for (name, labels, service) in AFTER_REGION {
        let host = format!("{}eu-west-1.{name}.amazonaws.com", "a.".repeat(*labels.end()));
        assert_eq!(parsed(&host), Some((*service, "eu-west-1".into())), "{host}");
    }
    for (names, service) in ALL_REGIONS {
        assert_eq!(parsed(&format!("a.{names}.amazonaws.com")), Some((*service, "*".into())), "{names}");
    }
    for (name, aws_only) in GLOBAL {
        let region = if *name == "globalaccelerator" { "us-west-2" } else { "us-east-1" };
        assert_eq!(parsed(&format!("{name}.amazonaws.com")), Some((*name, region.into())));
        assert_eq!(parsed(&format!("{name}.amazonaws.eu")).is_none(), *aws_only, "{name}");
    }
}

#[test]
fn tables_are_sorted_without_duplicates() {
    let sorted = |names: Vec<&str>| assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    sorted(NAMED_ALIKE.to_vec());
    sorted(SIGNED_AS.iter().map(|row| row.0).collect());
    sorted(WITH_RESOURCE.iter().map(|row| row.0).collect());
    sorted(AFTER_REGION.iter().map(|row| row.0).collect());
    sorted(ALL_REGIONS.iter().map(|row| row.0).collect());
    sorted(GLOBAL.iter().map(|row| row.0).collect());
}

#[test]
fn partitions() {
    for (region, id, suffix) in [
        ("us-east-1", "aws", "amazonaws.com"),
        ("mx-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
    ] {
        let partition = Partition::of_region(region);
        assert_eq!((partition.id, partition.dns_suffix), (id, suffix), "{region}");
        assert!(is_region(region), "{region}");
        assert_eq!(Partition::of_region(partition.global_region), partition);
        assert!(is_region(partition.global_region), "{}", partition.global_region);
    }
    assert_eq!(Partition::of_region("aws-global"), &AWS);
    for other in ["", "us", "us-east", "us-east-1a", "aws-global", "us-gov-1", "xx-east-1", "US_EAST_1", "use1-az4"] {
        assert!(!is_region(other), "{other}");
    }
}

#[test]
fn debug_shows_service_and_region() {
    let endpoint = Endpoint::parse("bucket.s3-accelerate.amazonaws.com").unwrap();
    assert_eq!(format!("{endpoint:?}"), r#"Endpoint { service: "s3", region: None }"#);
}
