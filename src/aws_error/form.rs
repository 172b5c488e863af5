//! The beginnings of S3's error messages about browser upload forms. `post_policy` writes the rest of each.

pub(crate) const MISSING_FIELD: &str = "Bucket POST must contain a field";
pub(crate) const INVALID_POLICY: &str = "Invalid Policy: ";
pub(crate) const AGAINST_POLICY: &str = "Invalid according to Policy";
