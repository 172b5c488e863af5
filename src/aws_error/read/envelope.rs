//! The WebSocket messages in which AppSync wraps its errors.

use crate::json::read::Json;

/// The message types that report errors. In any other response, `type` is the error code.
const TYPES: [&str; 6] =
    ["connection_error", "error", "subscribe_error", "publish_error", "broadcast_error", "unsubscribe_error"];

/// Returns the error inside `{"type":"connection_error","payload":{"errors":[{…}]}}`, or inside the same without `payload`
/// (AppSync Events). Returns any other document unchanged.
pub(super) fn opened(json: &Json) -> &Json {
    let is_message = json.member("type").and_then(Json::text).is_some_and(|name| TYPES.contains(&name));
    let payload = json.member("payload").unwrap_or(json);
    let error = payload.member("errors").and_then(Json::first).filter(|error| matches!(error, Json::Object(_)));
    // In some messages the payload itself is the error.
    let error = error.or(Some(payload).filter(|payload| payload.member("errorType").is_some()));
    error.filter(|_| is_message || json.member("payload").is_some()).unwrap_or(json)
}
