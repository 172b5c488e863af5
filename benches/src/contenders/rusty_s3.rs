use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use rusty_s3::actions::{GetObject, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};

use super::{countersign, signature_in};
use crate::measure::Contender;
use crate::requests::{ACCESS_KEY_ID, Case, LIFETIME, REGION, SECRET, UNIX_SECONDS};

pub const WHO: &str = "rusty-s3";

pub fn presign_get(case: &'static Case) -> Contender {
    let (bucket, endpoint) = case.host.split_once('.').unwrap();
    let endpoint = format!("https://{endpoint}").parse().unwrap();
    let bucket = Bucket::new(endpoint, UrlStyle::VirtualHost, bucket, REGION).unwrap();
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET);
    // It takes the key of the object, and encodes it.
    let key: &'static str = percent_decode_str(&case.target[1..]).decode_utf8().unwrap().into_owned().leak();
    let now = Timestamp::from_second(UNIX_SECONDS as i64).unwrap();
    let run = move || GetObject::new(&bucket, Some(&credentials), key).sign_with_time(LIFETIME, &now);
    assert_eq!(signature_in(run().as_str()), signature_in(&countersign::presigned_target(case)), "{}", case.name);
    Contender::new(WHO, run)
}
