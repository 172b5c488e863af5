//! How S3's sentences about forms of browser uploads begin. The rest of each is in `post_policy`, which writes them.

pub(crate) const MISSING_FIELD: &str = "Bucket POST must contain a field";
pub(crate) const INVALID_POLICY: &str = "Invalid Policy: ";
pub(crate) const AGAINST_POLICY: &str = "Invalid according to Policy";
