//! Messages of AppSync over WebSocket, which wrap their errors.

use crate::json::read::Json;

/// The types of messages that report errors; in any other answer `type` is the code.
const TYPES: [&str; 6] =
    ["connection_error", "error", "subscribe_error", "publish_error", "broadcast_error", "unsubscribe_error"];

/// The error in `{"type":"connection_error","payload":{"errors":[{…}]}}`, or in the same without a payload, as AppSync
/// Events answers. Any other document is returned as it is.
pub(super) fn opened(json: &Json) -> &Json {
    let is_message = json.member("type").and_then(Json::text).is_some_and(|name| TYPES.contains(&name));
    let payload = json.member("payload").unwrap_or(json);
    let error = payload.member("errors").and_then(Json::first).filter(|error| matches!(error, Json::Object(_)));
    // The service answers some messages with the error itself for a payload.
    let error = error.or(Some(payload).filter(|payload| payload.member("errorType").is_some()));
    error.filter(|_| is_message || json.member("payload").is_some()).unwrap_or(json)
}
