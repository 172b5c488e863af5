//! `--resign`: verifies a request with the key of the client, and signs it with the credentials that this key names.

use http::StatusCode;

use super::Settings;
use crate::serve::{Answer, Exchange, Request};

pub async fn answer(settings: &Settings, _: Request, exchange: &Exchange) -> Answer {
    exchange.refused("resign", "--resign is not implemented yet");
    settings.answer(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "--resign is not implemented yet")
}
