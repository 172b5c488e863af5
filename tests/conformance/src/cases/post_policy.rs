//! The form of a browser upload, in both directions: the policy as text and as a typed one, and the form as a server
//! receives it.

use base64ct::{Base64, Encoding};
use countersign::post_policy::{Policy, PolicyError};
use countersign::{Credentials, Signer, Timestamp, Verifier};
use serde::Deserialize;
use serde_json::Value;

use super::{Difference, Remarks, same};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostPolicy {
    pub id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    context: Context,
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
    region: String,
    service: String,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    bucket: String,
    key: String,
    expiration: String,
    conditions: Vec<Value>,
    extra_fields: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Expect {
    #[serde(rename = "policy_json")]
    policy_json: String,
    #[serde(rename = "policy_b64")]
    policy_b64: String,
    #[serde(rename = "string_to_sign")]
    string_to_sign: String,
    x_amz_algorithm: String,
    x_amz_credential: String,
    x_amz_date: String,
    x_amz_security_token: Option<String>,
    x_amz_signature: String,
}

/// Behind this the value is open.
const FILENAME: &str = "${filename}";

/// A condition of the policy, whichever way it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    Exact(String, String),
    StartsWith(String, String),
    ContentLength(u64, u64),
}

type Fields = Vec<(String, String)>;

impl PostPolicy {
    pub fn run(&self) -> Result<(), Box<Difference>> {
        let id = &self.id;
        let (signer, now) = (self.signer()?, self.now()?);
        let unsigned = |error: PolicyError| Difference::new(id, "signing", "a form", error.to_string());

        let fields = self.given_fields()?;
        let given = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let form = signer.sign_post_policy_text(&self.expect.policy_json, given, now).map_err(unsigned)?;
        let expected = self.expected_fields()?;
        same(id, "string to sign", &self.expect.string_to_sign, &self.expect.policy_b64)?;
        same(id, "signature", &self.expect.x_amz_signature, &form.signature().to_hex())?;
        let listed = |fields: &mut dyn Iterator<Item = (&str, &str)>| {
            fields.map(|(name, value)| format!("{name}={value}\n")).collect::<String>()
        };
        let expected_list = listed(&mut expected.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        same(id, "fields of the form", &expected_list, &listed(&mut form.fields()))?;

        let typed = signer.sign_post_policy(&self.typed_policy()?, now).map_err(unsigned)?;
        self.same_policy(typed.fields().find(|(name, _)| *name == "policy").map_or("", |(_, policy)| policy))?;
        let typed: Fields = typed.fields().map(|(name, value)| (name.into(), value.into())).collect();
        self.accepted(&typed, "verifying the typed policy's form")?;

        self.accepted(&expected, "verifying the expected form")?;
        self.refused(&expected)
    }

    fn unusable(&self, what: &'static str, error: impl ToString) -> Box<Difference> {
        Difference::new(&self.id, what, "something usable", error.to_string())
    }

    fn credentials(&self) -> Result<Credentials, Box<Difference>> {
        let unusable = |error| self.unusable("context", error);
        let credentials = Credentials::new(&self.context.access_key, &self.context.secret_key).map_err(unusable)?;
        match &self.context.session_token {
            Some(token) => credentials.with_session_token(token).map_err(unusable),
            None => Ok(credentials),
        }
    }

    fn signer(&self) -> Result<Signer, Box<Difference>> {
        Ok(Signer::new(self.credentials()?, &self.context.region, &self.context.service).unwrap())
    }

    fn now(&self) -> Result<Timestamp, Box<Difference>> {
        self.context.timestamp.parse().map_err(|error| self.unusable("context.timestamp", error))
    }

    fn expiration(&self) -> Result<Timestamp, Box<Difference>> {
        let text = self.input.expiration.replace(['-', ':'], "").replace(".000", "");
        text.parse().map_err(|error| self.unusable("input.expiration", error))
    }

    /// Those that a page has before anything is signed.
    fn given_fields(&self) -> Result<Fields, Box<Difference>> {
        let mut fields = vec![("key".to_owned(), self.input.key.clone())];
        for (name, value) in &self.input.extra_fields {
            let value = value.as_str().ok_or_else(|| self.unusable("input.extra_fields", "no text"))?;
            fields.push((name.clone(), value.into()));
        }
        Ok(fields)
    }

    /// The whole form, but for its file.
    fn expected_fields(&self) -> Result<Fields, Box<Difference>> {
        let expect = &self.expect;
        let mut fields = self.given_fields()?;
        fields.extend(
            [
                ("policy", Some(&expect.policy_b64)),
                ("x-amz-algorithm", Some(&expect.x_amz_algorithm)),
                ("x-amz-credential", Some(&expect.x_amz_credential)),
                ("x-amz-date", Some(&expect.x_amz_date)),
                ("x-amz-security-token", expect.x_amz_security_token.as_ref()),
                ("x-amz-signature", Some(&expect.x_amz_signature)),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))),
        );
        Ok(fields)
    }

    fn conditions(&self, conditions: &[Value]) -> Result<Vec<Condition>, Box<Difference>> {
        conditions.iter().map(Condition::read).collect::<Option<_>>().ok_or_else(|| self.unusable("conditions", "?"))
    }

    fn typed_policy(&self) -> Result<Policy, Box<Difference>> {
        let mut policy = Policy::new(&self.input.bucket, self.expiration()?);
        let fields = self.given_fields()?;
        for condition in self.conditions(&self.input.conditions)? {
            policy = match condition {
                Condition::Exact(name, _) if name == "bucket" => policy,
                Condition::Exact(name, value) => policy.with_field(name, value),
                Condition::StartsWith(name, prefix) => {
                    let open = |value: &String| value.split_once(FILENAME).is_some_and(|(start, _)| start == prefix);
                    match fields.iter().find(|(field, value)| *field == name && open(value)) {
                        Some((_, value)) => policy.with_field(name, value),
                        None => policy.with_starts_with(name, prefix),
                    }
                }
                Condition::ContentLength(min, max) => policy.with_content_length(min..=max),
            };
        }
        Ok(policy)
    }

    /// Whether a policy says the same as the expected one.
    fn same_policy(&self, policy_b64: &str) -> Result<(), Box<Difference>> {
        let read = |text: &[u8]| -> Result<(String, Vec<Condition>), Box<Difference>> {
            let policy: Value = serde_json::from_slice(text).map_err(|error| self.unusable("policy", error))?;
            let expiration = policy["expiration"].as_str().unwrap_or_default().replace(".000Z", "Z");
            let conditions = self.conditions(policy["conditions"].as_array().map_or(&[], Vec::as_slice))?;
            // No exact condition is ever met where a file's name was put in; the typed policy is open there.
            let mut conditions: Vec<_> = conditions.into_iter().map(Condition::opened).collect();
            conditions.sort();
            Ok((expiration, conditions))
        };
        let ours = Base64::decode_vec(policy_b64).map_err(|error| self.unusable("policy", error))?;
        let (expected, got) = (read(self.expect.policy_json.as_bytes())?, read(&ours)?);
        same(&self.id, "typed policy", &format!("{expected:?}"), &format!("{got:?}"))
    }

    /// The fields that a browser would add: those that the policy names and the form doesn't have.
    fn with_fields_of_the_page(&self, fields: &Fields) -> Result<Fields, Box<Difference>> {
        let mut fields = fields.clone();
        for (name, value) in self.given_fields()? {
            if !fields.iter().any(|(field, _)| *field == name) {
                fields.push((name, value));
            }
        }
        Ok(fields)
    }

    fn verify(&self, bucket: &str, fields: &Fields, known: &Credentials, now: Timestamp) -> Result<(), String> {
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let verifier = Verifier::new(&self.context.region, &self.context.service).unwrap();
        let unverified = verifier.parse_form(bucket, fields, now).map_err(|error| error.to_string())?;
        let form = unverified.verify(Some(known)).map_err(|error| error.to_string())?;
        let length = form.file_length();
        let lengths = [length.start().checked_sub(1), length.end().checked_add(1)];
        let outside = lengths.into_iter().flatten().any(|length| form.check_file_length(length).is_ok());
        let inside = [length.start(), length.end()].into_iter().all(|length| form.check_file_length(*length).is_ok());
        if inside && !outside { Ok(()) } else { Err("the file's length".into()) }
    }

    fn accepted(&self, fields: &Fields, stage: &str) -> Result<(), Box<Difference>> {
        let fields = self.with_fields_of_the_page(fields)?;
        self.verify(&self.input.bucket, &fields, &self.credentials()?, self.now()?)
            .map_err(|error| Difference::new(&self.id, stage, "accepted", error))
    }

    /// One thing changed at a time.
    fn refused(&self, fields: &Fields) -> Result<(), Box<Difference>> {
        let (bucket, known, now) = (&self.input.bucket, self.credentials()?, self.now()?);
        let check = |what: String, result: Result<(), String>| match result {
            Err(_) => Ok(()),
            Ok(()) => {
                Err(Difference::new(&self.id, format!("verifying after a change: {what}"), "refused", "accepted"))
            }
        };
        let end = self.expiration()?;
        check("the policy has ended".into(), self.verify(bucket, fields, &known, end))?;
        check("another bucket".into(), self.verify("another", fields, &known, now))?;
        let other = Credentials::new(&self.context.access_key, "another").map_err(|error| self.unusable("", error))?;
        let other = match &self.context.session_token {
            Some(token) => other.with_session_token(token).map_err(|error| self.unusable("", error))?,
            None => other,
        };
        check("another secret".into(), self.verify(bucket, fields, &other, now))?;

        let mut extra = fields.clone();
        extra.push(("x-amz-meta-extra".into(), "1".into()));
        check("a field without a condition".into(), self.verify(bucket, &extra, &known, now))?;
        let conditions = self.conditions(&self.input.conditions)?;
        for (index, (name, value)) in fields.iter().enumerate() {
            let mut changed = fields.clone();
            changed.remove(index);
            check(format!("without {name}"), self.verify(bucket, &changed, &known, now))?;
            changed.insert(index, (name.to_uppercase(), value.clone()));
            self.verify(bucket, &changed, &known, now)
                .map_err(|error| Difference::new(&self.id, format!("{name} in upper case"), "accepted", error))?;
            changed.push((name.clone(), value.clone()));
            check(format!("{name} twice"), self.verify(bucket, &changed, &known, now))?;
            // Behind a prefix, anything may stand.
            let fixed = conditions
                .iter()
                .find_map(|condition| match condition {
                    Condition::StartsWith(field, prefix) if field == name => Some(prefix.len()),
                    _ => None,
                })
                .unwrap_or(value.len());
            for (position, c) in value.char_indices().filter(|(position, _)| *position < fixed) {
                let mut text = value.clone();
                let other = if c == 'x' { "y" } else { "x" };
                text.replace_range(position..position + c.len_utf8(), other);
                let mut changed = fields.clone();
                changed[index].1 = text;
                check(format!("{name} at {position}"), self.verify(bucket, &changed, &known, now))?;
            }
        }
        Ok(())
    }
}

impl Condition {
    fn read(condition: &Value) -> Option<Self> {
        if let Some(object) = condition.as_object() {
            let (name, value) = object.iter().next().filter(|_| object.len() == 1)?;
            return Some(Self::Exact(name.clone(), value.as_str()?.into()));
        }
        let [operator, first, second] = condition.as_array()?.as_slice() else { return None };
        let name = || Some(first.as_str()?.strip_prefix('$')?.to_owned());
        match operator.as_str()? {
            "eq" => Some(Self::Exact(name()?, second.as_str()?.into())),
            "starts-with" => Some(Self::StartsWith(name()?, second.as_str()?.into())),
            "content-length-range" => Some(Self::ContentLength(first.as_u64()?, second.as_u64()?)),
            _ => None,
        }
    }

    fn opened(self) -> Self {
        match self {
            Self::Exact(name, value) => match value.split_once(FILENAME) {
                Some((prefix, _)) => Self::StartsWith(name, prefix.into()),
                None => Self::Exact(name, value),
            },
            other => other,
        }
    }
}
