use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::input::{check_filled, host, regional_host};
use super::{Token, TokenError, signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::encode_segment;

/// AWS documents no figure for IoT; aws/aws-sdk-js#2254 reports a URL refused ten minutes after signing.
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

/// The URL to which an MQTT client connects over websocket, `wss://ENDPOINT/mqtt?…`, with the sub-protocol `mqtt`.
///
/// `endpoint` is that of `aws iot describe-endpoint --endpoint-type iot:Data-ATS`, in the signer's region; port 443. The
/// identity needs `iot:Connect` on the client id.
///
/// Common mistakes: to sign the session token, which this service wants added after signing; and to take the
/// URL up again on reconnecting: have the client ask for a new one each time. The URL names no end of its own, and AWS
/// documents none: it is taken for a few minutes, and was seen refused after ten, so [`Token::expires_at`] says five. An
/// open connection stays open.
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

/// The URL of a streaming transcription over websocket; it has to be opened within five minutes.
///
/// `parameters` are those of the stream, such as `language-code`, `media-encoding` and `sample-rate`; they are signed
/// and encoded here. Audio goes as event-stream messages in binary frames, without signatures of their own. The
/// identity needs `transcribe:StartStreamTranscriptionWebSocket`.
///
/// Common mistakes: the port, 8443, is part of what is signed; and a parameter added to the URL afterwards is not, so
/// that the signature no longer matches.
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
