use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::input::{check_filled, host, regional_host};
use super::{Token, TokenError, signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::encode_segment;

/// AWS documents no lifetime for IoT; aws/aws-sdk-js#2254 reports a URL refused ten minutes after signing.
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

/// Returns the URL for an MQTT client to connect to over WebSocket, `wss://ENDPOINT/mqtt?…`, with the subprotocol
/// `mqtt`.
///
/// `endpoint` is the output of `aws iot describe-endpoint --endpoint-type iot:Data-ATS` in the same region; the port is
/// 443. The identity needs `iot:Connect` on the client id.
///
/// Common mistakes are to sign the session token, which this service expects to be added after signing, and to reuse
/// the URL for reconnecting: have the client ask for a new one each time. AWS documents no lifetime for the URL, and
/// the URL itself has no expiration. It has been reported as refused after ten minutes, so [`Token::expires_at`] is
/// five minutes from `now`. An open connection stays open.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("ASIAEXAMPLE", "secret")?.with_session_token("token")?;
/// let endpoint = "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com";
/// let url = tokens::iot_mqtt(&credentials, "us-east-1", endpoint, "20150830T123600Z".parse()?)?;
/// assert!(url.as_str().starts_with("wss://a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com/mqtt?X-Amz-Algorithm="));
/// assert!(url.as_str().ends_with("&X-Amz-Security-Token=token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Device communication protocols](https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html)
///
/// # Errors
/// [`TokenError`] for an endpoint with a scheme or a port, an invalid region, and expired credentials.
pub fn iot_mqtt(credentials: &Credentials, region: &str, endpoint: &str, now: Timestamp) -> Result<Token, TokenError> {
    let host = host(endpoint)?;
    let request = Request::new("GET", "/mqtt", &[]).with_host(&host).with_scheme("wss");
    let presigned = signer(credentials, region, "iotdevicegateway")?.presign(request, FIVE_MINUTES, now)?;
    Ok(Token::of_url(presigned, ""))
}

/// Returns the URL for a streaming transcription over WebSocket, valid for five minutes.
///
/// `parameters` are those of the stream, such as `language-code`, `media-encoding` and `sample-rate`; they are encoded
/// and signed here. Send the audio as unsigned event-stream messages in binary WebSocket frames. The identity needs
/// `transcribe:StartStreamTranscriptionWebSocket`.
///
/// Common mistakes are to drop the port, 8443, which is part of the signed host, and to add a parameter to the URL
/// after signing: in both cases, the signature no longer matches.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let stream = [("language-code", "en-US"), ("media-encoding", "pcm"), ("sample-rate", "16000")];
/// let url = tokens::transcribe(&credentials, "us-west-2", &stream, "20150830T123600Z".parse()?)?;
/// assert!(url.as_str().starts_with(
///     "wss://transcribestreaming.us-west-2.amazonaws.com:8443/stream-transcription-websocket?language-code=en-US&"
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Setting up a WebSocket stream](https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-websocket)
///
/// # Errors
/// [`TokenError`] for a parameter without a name, an invalid region, and expired credentials.
pub fn transcribe(
    credentials: &Credentials,
    region: &str,
    parameters: &[(&str, &str)],
    now: Timestamp,
) -> Result<Token, TokenError> {
    let signer = signer(credentials, region, "transcribe")?;
    let host = format!("{}:8443", regional_host("transcribestreaming", region));
    let mut target = String::from("/stream-transcription-websocket");
    for (index, (name, value)) in parameters.iter().enumerate() {
        check_filled("name of a parameter", name)?;
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(&encode_segment(name));
        target.push('=');
        target.push_str(&encode_segment(value));
    }
    let request = Request::new("GET", &target, &[]).with_host(&host).with_scheme("wss");
    let presigned = signer.presign(request, FIVE_MINUTES, now)?;
    Ok(Token::of_url(presigned, ""))
}
