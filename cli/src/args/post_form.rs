use std::ops::RangeInclusive;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::CredentialArgs;
use super::time::{DateArgs, duration};

/// Print the fields of a form with which a browser uploads to S3
///
/// The signed policy allows what the flags say, and nothing else: each field has the value given here.
#[derive(Args, Debug)]
#[command(after_long_help = HELP, group(ArgGroup::new("which").required(true).args(["key", "key_starts_with"])))]
pub struct PostFormArgs {
    /// The bucket
    #[arg(long)]
    pub bucket: String,

    /// The key of the object; `${filename}` in it becomes the name of the file
    #[arg(long)]
    pub key: Option<String>,

    /// What the key begins with; the name of the file follows, unless the page sets the key itself
    #[arg(long, value_name = "PREFIX")]
    pub key_starts_with: Option<String>,

    /// The content type of the file. `image/*` leaves the choice of an image's type to the page
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,

    /// The size of the file in bytes
    #[arg(long, value_name = "MIN:MAX", value_parser = range)]
    pub content_length_range: Option<RangeInclusive<u64>>,

    /// The status of the answer after the upload [default: 204]
    #[arg(long, value_name = "STATUS", value_parser = ["200", "201", "204"])]
    pub success_status: Option<String>,

    /// Where the browser goes after the upload
    #[arg(long, value_name = "URL", conflicts_with = "success_status")]
    pub success_redirect: Option<String>,

    /// Another field with its value, such as acl=private or x-amz-meta-tag=a
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,

    /// A field that the page sets, and what it begins with (nothing: any value)
    #[arg(long = "starts-with", value_name = "NAME=PREFIX")]
    pub starts_with: Vec<String>,

    /// How long uploads may begin: 1s to 7d
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub expires: Duration,

    /// Where the form is sent [default: the bucket's host in the region]
    #[arg(long, value_name = "URL")]
    pub action: Option<String>,

    /// How the form is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = FormFormat::Json)]
    pub format: FormFormat,

    /// The region of the bucket [default: from the environment or the profile]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    #[command(flatten)]
    pub date: DateArgs,

    #[command(flatten)]
    pub credentials: CredentialArgs,
}

/// How the form is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormFormat {
    /// JSON with `url`, `fields` and `expires_at`. The file comes last, as the field `file`
    Json,
    /// A page that can be opened in a browser
    Html,
}

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let parse = |number: &str| number.parse::<u64>().ok();
    match text.split_once(':').map(|(min, max)| (parse(min), parse(max))) {
        Some((Some(min), Some(max))) if min <= max => Ok(min..=max),
        Some((Some(_), Some(_))) => Err("the minimum is more than the maximum".into()),
        _ => Err("must be two numbers of bytes, MIN:MAX, such as 1:10485760".into()),
    }
}

const HELP: &str = "\
Examples:
  Images up to 10 MiB, below a prefix, for ten minutes:
    countersign post-form --bucket photos --key-starts-with user/eric/ --content-type 'image/*' \\
      --content-length-range 1:10485760 --expires 10m --region eu-central-1
  A page to try it out:
    countersign post-form --bucket photos --key test.txt --region eu-central-1 --format html > upload.html
  With curl; the file must be last:
    curl -F key=… -F policy=… (all fields) -F file=@photo.jpg https://photos.s3.eu-central-1.amazonaws.com/

Exit codes:
  0 the form is on standard output   1 it can't be signed   2 wrong usage   23 the output can't be written";
