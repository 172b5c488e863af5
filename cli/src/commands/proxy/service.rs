//! Receives requests.

use std::sync::Arc;

use http::StatusCode;

use super::{Settings, signing};
use crate::serve::{Answer, Exchange, Request, Service};

/// The service that the listener calls.
#[derive(Clone)]
pub struct Proxy(pub Arc<Settings>);

impl Service for Proxy {
    async fn answer(self, request: Request) -> Answer {
        let settings = &self.0;
        let Some(exchange) = Exchange::of(request.extensions()) else {
            return settings.answer(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "Internal server error");
        };
        signing::answer(settings, &settings.signing, request, &exchange).await
    }
}
