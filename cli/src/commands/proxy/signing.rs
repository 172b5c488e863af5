//! Signs a request and forwards it.

use http::StatusCode;

use super::Settings;
use crate::serve::{Answer, Exchange, Request};

pub async fn answer(settings: &Settings, _: Request, exchange: &Exchange) -> Answer {
    exchange.refused("sign", "signing is not implemented yet");
    settings.answer(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "signing is not implemented yet")
}
