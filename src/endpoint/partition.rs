//! The AWS partitions, as data.

use crate::text::{is_digits, strip_start};

/// A group of regions with its own accounts, host names and global services.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) id: &'static str,
    /// The prefixes of its region names; a word and a number follow, as in `us-` `east-1`.
    region_starts: &'static [&'static str],
    pub(crate) dns_suffix: &'static str,
    pub(super) dual_stack_suffix: &'static str,
    /// The region used to sign requests to its global services.
    pub(crate) global_region: &'static str,
}

pub(super) const GOV: &str = "aws-us-gov";

/// Source: AWS's partitions metadata (`partitions.json`) as botocore 1.43.11 and the other SDKs publish it.
pub(super) const PARTITIONS: [Partition; 8] = [
    Partition {
        id: "aws-cn",
        region_starts: &["cn-"],
        dns_suffix: "amazonaws.com.cn",
        dual_stack_suffix: "api.amazonwebservices.com.cn",
        global_region: "cn-northwest-1",
    },
    Partition {
        id: GOV,
        region_starts: &["us-gov-"],
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: "api.aws",
        global_region: "us-gov-west-1",
    },
    Partition {
        id: "aws-eusc",
        region_starts: &["eusc-de-"],
        dns_suffix: "amazonaws.eu",
        dual_stack_suffix: "api.amazonwebservices.eu",
        global_region: "eusc-de-east-1",
    },
    Partition {
        id: "aws-iso",
        region_starts: &["us-iso-"],
        dns_suffix: "c2s.ic.gov",
        dual_stack_suffix: "api.aws.ic.gov",
        global_region: "us-iso-east-1",
    },
    Partition {
        id: "aws-iso-b",
        region_starts: &["us-isob-"],
        dns_suffix: "sc2s.sgov.gov",
        dual_stack_suffix: "api.aws.scloud",
        global_region: "us-isob-east-1",
    },
    Partition {
        id: "aws-iso-e",
        region_starts: &["eu-isoe-"],
        dns_suffix: "cloud.adc-e.uk",
        dual_stack_suffix: "api.cloud-aws.adc-e.uk",
        global_region: "eu-isoe-west-1",
    },
    Partition {
        id: "aws-iso-f",
        region_starts: &["us-isof-"],
        dns_suffix: "csp.hci.ic.gov",
        dual_stack_suffix: "api.aws.hci.ic.gov",
        global_region: "us-isof-south-1",
    },
    AWS,
];

/// Must be the last row, since region names of other partitions start with the same prefixes.
pub(crate) const AWS: Partition = Partition {
    id: "aws",
    region_starts: &["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"],
    dns_suffix: "amazonaws.com",
    dual_stack_suffix: "api.aws",
    global_region: "us-east-1",
};

impl Partition {
    pub(super) fn has_suffix(&self, suffix: &str) -> bool {
        [self.dns_suffix, self.dual_stack_suffix].contains(&suffix)
    }

    /// Returns the partition of a region; `aws` for a region that matches no partition, as the SDKs do.
    pub(crate) fn of_region(region: &str) -> &'static Partition {
        PARTITIONS.iter().find(|partition| partition.after_start(region).is_some()).unwrap_or(&AWS)
    }

    /// Returns the partition with this name, as in an ARN.
    pub(crate) fn of_id(id: &str) -> Option<&'static Partition> {
        PARTITIONS.iter().find(|partition| partition.id == id)
    }

    pub(crate) fn dual_stack_suffix(&self) -> &'static str {
        self.dual_stack_suffix
    }

    fn after_start<'r>(&self, region: &'r str) -> Option<&'r str> {
        self.region_starts.iter().find_map(|start| strip_start(region, start))
    }
}

/// Returns `true` if a string has the form of a region name, ignoring case.
pub(crate) fn is_region(text: &str) -> bool {
    let rest = Partition::of_region(text).after_start(text);
    rest.and_then(|rest| rest.split_once('-')).is_some_and(|(word, number)| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !word.is_empty() && word.bytes().all(is_word) && is_digits(number)
    })
}
