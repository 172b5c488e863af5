//! Region sets such as `us-east-1,us-west-2`, `us-*` or `*`: the regions where a signature is valid.

/// Returns `true` if a string can be signed as a region set: names separated by commas, each comma optionally followed
/// by a space.
pub(crate) fn is_region_set(text: &str) -> bool {
    let mut first = true;
    text.split(',').all(|entry| {
        let entry = if core::mem::take(&mut first) { entry } else { entry.strip_prefix(' ').unwrap_or(entry) };
        !entry.is_empty() && entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'*'))
    })
}

/// Returns `true` if a region set includes the region. Each entry is compared as a whole, ignoring case; `*` matches
/// any number of characters, including none, and an empty entry matches nothing. S3 behaves the same: for example, an
/// entry with a leading space matches no region.
pub(crate) fn covers(region_set: &str, region: &str) -> bool {
    region_set.split(',').any(|entry| !entry.is_empty() && matches(entry.as_bytes(), region.as_bytes()))
}

/// Backtracks only to the last `*`, so that the time is at most the product of both lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut last_star = None;
    while let Some(byte) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                last_star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(expected) if expected.eq_ignore_ascii_case(byte) => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                (at_pattern, at_text) = (star + 1, taken + 1);
            }
        }
    }
    pattern.iter().skip(at_pattern).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries that S3 in us-east-1 was observed to accept and to refuse.
    #[test]
    fn entries_match_regions_as_in_s3() {
        for set in ["*", "us-*", "*-1", "u*1", "**", "US-*", "us-east-1*", ",us-east-1", "us-west-2,us-east-1"] {
            assert!(covers(set, "us-east-1"), "{set}");
        }
        for set in [
            "",
            ",",
            "us-east-?",
            "us-east-10",
            "us-east-",
            "us-east",
            "s-east-1",
            "aws-global",
            "us-west-2, us-east-1",
            "us-east-1;us-west-2",
            "us-east-1 us-west-2",
            "us-west-*",
            "*2",
            "u*e*2",
            "*-1-*",
        ] {
            assert!(!covers(set, "us-east-1"), "{set}");
        }
        for (set, region) in [("*a*b*c*", "xaxbxcx"), ("a*a", "aa"), ("*ab", "aab"), ("*", ""), ("a*b*b", "abcb")] {
            assert!(covers(set, region), "{set} {region}");
        }
        assert!(!covers("a*a", "a"));
    }

    #[test]
    fn region_sets_are_validated_for_signing() {
        for set in
            ["*", "us-east-1", "us-east-1,us-west-2", "us-*,eu-central-1", "ap-southeast-2, eu-west-1", "aws-global"]
        {
            assert!(is_region_set(set), "{set}");
        }
        for set in [
            "",
            ",",
            "us-east-1,",
            ",us-east-1",
            "a,,b",
            " a",
            "a ",
            "a,  b",
            "a b",
            "a;b",
            "a/b",
            "a\nb",
            "é",
            "a\t,b",
        ] {
            assert!(!is_region_set(set), "{set:?}");
        }
    }
}
