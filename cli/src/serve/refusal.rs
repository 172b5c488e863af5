//! Answers that the server gives itself, in the format of the service.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::tower::{RefusalBody, RefusalReason};
use countersign::{ErrorFormat, Refusal};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;

use super::{Answer, AnswerBody, Exchange, full};

/// An answer with a code and a message that contain no special characters.
pub fn answer(format: ErrorFormat, status: StatusCode, code: &'static str, message: &'static str) -> Answer {
    let id = request_id();
    let body = match format {
        ErrorFormat::S3Xml => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>"
        ),
        ErrorFormat::QueryXml => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
        ),
        ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => {
            format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}")
        }
        _ => format!("{{\"message\":\"{message}\"}}"),
    };
    with_headers(format, status, code, format.content_type(), &id, body)
}

/// A refusal of the library, e.g. of a body that was refused while it was forwarded.
pub fn of_library(format: ErrorFormat, refusal: &Refusal) -> Answer {
    let id = request_id();
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
    with_headers(format, status, refusal.code(), refusal.content_type(), &id, refusal.body(&id))
}

fn with_headers(
    format: ErrorFormat,
    status: StatusCode,
    code: &'static str,
    content_type: &'static str,
    id: &str,
    body: String,
) -> Answer {
    let mut answer = Answer::new(full(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(name) = format.code_header() {
        headers.insert(name, HeaderValue::from_static(code));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(format.request_id_header(), id);
    }
    answer
}

/// The answer of the library's layer. If the layer refused the request, records why.
pub fn recorded(answered: Result<http::Response<RefusalBody<AnswerBody>>, Infallible>, exchange: &Exchange) -> Answer {
    let answer = answered.unwrap_or_else(|never| match never {});
    if let Some(reason) = answer.extensions().get::<RefusalReason>() {
        let check = reason.check_number().map_or_else(|| "body".into(), |number| number.to_string());
        exchange.refused(check, reason.to_string());
    }
    answer.map(BodyExt::boxed_unsync)
}

/// An id that is unique for this process and differs between processes. It is not a secret.
pub fn request_id() -> String {
    static RANDOM: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RANDOM.get_or_init(RandomState::new);
    let [high, low] = [0_u64, 1].map(|half| random.hash_one((count, half)));
    let digits = (0..16).rev().map(|digit| high >> (4 * digit)).chain((0..16).rev().map(|digit| low >> (4 * digit)));
    let mut id = String::with_capacity(36);
    for (position, digit) in digits.enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(char::from_digit((digit & 0xf) as u32, 16).unwrap_or_default());
    }
    id
}

/// The format in which a service reports errors.
pub fn format_of(service: &str) -> ErrorFormat {
    match service {
        "s3" | "s3express" | "s3-outposts" | "s3-object-lambda" => ErrorFormat::S3Xml,
        "dynamodb" => ErrorFormat::AwsJson1_0,
        "kinesis" | "kms" | "ssm" | "logs" | "secretsmanager" | "ecs" | "cognito-idp" | "cognito-identity" => {
            ErrorFormat::AwsJson1_1
        }
        "sts" | "iam" | "sns" | "sqs" | "ec2" | "rds" | "cloudformation" | "autoscaling" | "elasticloadbalancing" => {
            ErrorFormat::QueryXml
        }
        _ => ErrorFormat::RestJson,
    }
}
