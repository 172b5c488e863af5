//! `aws login`: credentials that it stored, and their refresh with a proof of possession (DPoP, RFC 9449).

use super::context::{Context, Found};
use super::error::SourceError;

pub(super) async fn credentials(context: &Context, profile: &str, session: &str) -> Result<Found, SourceError> {
    let _ = (context, profile, session);
    Err(SourceError::NotConfigured { config: alloc::string::String::new() })
}
