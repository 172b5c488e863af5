//! Requests and responses as people paste them.

const COMMANDS: [&str; 12] = [
    "https://abc123.execute-api.us-east-1.amazonaws.com/dev/../list?a=b#c",
    "'https://a.example/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00'",
    "--aws-sigv4 aws:amz:us-east-1:execute-api -u \"$A:${B}\" $(echo -v) \"https://a.example/$C\"",
    "-sSvX PUT -H 'a: b' -H 'b;' -H 'accept:' --data-raw $'{\"a\":\\u0021\\x41\\101\\n}' \\\n  --url=https://a.example --compressed",
    "-G -d a=b --data-urlencode 'c=d e' --data-urlencode f@g --json '{}' -I http://[::1]:80/a?b",
    "-F a=b -T c -b d=e -b f -A g -e h -r 0-1 --oauth2-bearer i --digest --path-as-is https://a.example/./b | jq . && ls",
    "^\"https://a.example/?a=b^%^20^\" ^\n  -H ^\"accept: ^\\^\"*/*^\\^\"^\" ^\n  --data-raw ^\"^{^}^\"",
    "--url-query a=b --url-query +c=d --request-target '/e?f' user:password@a.example 2>&1 > g # h",
    "-H 'Authorization: AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7' -H 'x-amz-date: 20150830T123600Z' https://bucket.s3.amazonaws.com/a",
    "-H 'Authorization: Bearer [redacted]' --next https://a.example",
    "-g 'https://a.example/{a,b}[1-3]' -d @file -d \"`date`\" -H @file -K file",
    "-H \"Authorization: AWS $A:$B\" -H \"Date: $D\" https://a.example -X OPTIONS",
];

const MESSAGES: [&str; 9] = [
    "host: a.example\r\ncontent-length: 2\r\n\r\n{}",
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;a=b\r\nde\r\n0\r\na: b\r\n\r\n",
    "a: b\n  c\n\n{\"message\":\"Missing Authentication Token\"}",
    "\nHTTP/1.1 100 Continue\n\nHTTP/2 301\nlocation: /a\n\nHTTP/1.1 403 Forbidden\ndate: Sun, 30 Aug 2015 12:36:00 GMT\n\n<Error/>",
    "\n* Trying 127.0.0.1\n> GET /a HTTP/1.1\n> Host: a.example\n> \n< HTTP/1.1 403 Forbidden\n< a: b\n<\n{ [5 bytes data]\n{}* Connection #0 to host a.example left intact\n",
    "content-type: application/x-amz-cbor-1.1\n\n",
    "a: b\n\n{\"type\":\"connection_error\",\"payload\":{\"errors\":[{\"errorType\":\"a#UnauthorizedException\",\"message\":\"b\"}]}}",
    ":path: /a\n:authority: a.example\n:method: GET\n\n",
    "Authorization: Bearer ***\nContent-Length: 5\n\nabc",
];

/// A profile by its number, and answers to its resolution. The clock says 2026-01-01T00:00:00Z.
const ANSWERS: [&str; 10] = [
    "\0{\"accessToken\":\"a\",\"expiresAt\":\"2026-01-01T08:00:00UTC\"}\n\n429 \n\n{\"roleCredentials\":{\"accessKeyId\":\"a\",\"secretAccessKey\":\"b\",\"sessionToken\":\"c\",\"expiration\":1767229200000}}",
    "\0{\"accessToken\":\"a\",\"expiresAt\":\"2026-01-01T00:00:00+01:00\",\"clientId\":\"b\",\"clientSecret\":\"c\",\"registrationExpiresAt\":\"2026-02-01T00:00:00Z\",\"refreshToken\":\"d\"}\n\n{\"accessToken\":\"e\",\"expiresIn\":60,\"refreshToken\":\"f\"}\n\n!3\n\n403 {\"message\":\"No access\",\"__type\":\"a#ForbiddenException\"}",
    "\0{\"accessToken\":\"a\",\"expiresAt\":\"2026-01-01T00:00:00Z\",\"clientId\":\"b\",\"clientSecret\":\"c\",\"registrationExpiresAt\":\"2026-02-01T00:00:00Z\",\"refreshToken\":\"d\"}\n\n400 {\"error\":\"invalid_grant\",\"error_description\":\"d\"}\n\n404 ",
    "\u{1}{\"accessToken\":\"a\",\"expiresAt\":\"2026-01-01T00:00:01Z\"}\n\n401 {\"message\":\"a\"}",
    "\u{2}{\"accessToken\":{\"accessKeyId\":\"a\",\"secretAccessKey\":\"b\",\"sessionToken\":\"c\",\"expiresAt\":\"2026-01-01T00:00:00Z\"},\"clientId\":\"d\",\"refreshToken\":\"e\",\"dpopKey\":\"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEICyr++Z4ljd1WcpPGtjCuVSTFCmowBF+oUPbemzNppLGoAoGCCqGSM49\\nAwEHoUQDQgAEmxvMOMdWjseFHTvREBw+zaRQAZIA2I2wjPkgX04LaVTUZIB44j7D\\nt1ZSVQiodzJkZ1zkP6pily/5kpntMqbUGQ==\\n-----END EC PRIVATE KEY-----\\n\"}\n\n{\"accessToken\":{\"accessKeyId\":\"f\",\"secretAccessKey\":\"g\",\"sessionToken\":\"h\"},\"expiresIn\":900,\"refreshToken\":\"i\"}\n\n!3\n\n200",
    "\u{3}{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"SessionToken\":\"c\",\"Expiration\":\"2026-01-01T01:00:00.5+00:30\"}\n\n203 login expired\nSecretAccessKey=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY {}",
    "\u{4}{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}\n\n123456\n\n<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
    "\u{5}token\n\n403 <ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
    "\u{6}authorization\n\n{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\",\"Expiration\":\"2026-01-01T01:00:00Z\"}\n\n500 ",
    "\u{7}token\n\nrole\n\n{\"Code\":\"Success\",\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\",\"Expiration\":\"2026-01-01T01:00:00Z\"}\n\n500 ",
];

const ENTRY: &str = r#"{"startedDateTime":"2026-08-30T12:36:00Z","request":{"method":"POST","url":"https://a.example/b?c=d#e","httpVersion":"h2","headers":[{"name":":path","value":"/b"},{"name":"Host","value":"a.example"},{"name":"x-amz-date","value":"20150830T123600Z"}],"queryString":[{"name":"c","value":"d"}],"bodySize":2,"postData":{"mimeType":"application/json","text":"{}"}},"response":{"status":403,"headers":[{"name":"x-amzn-ErrorType","value":"MissingAuthenticationTokenException"}],"content":{"size":3,"text":"e30K","encoding":"base64"}},"_priority":"High"}"#;

const MAPS: [&[u8]; 3] = [
    b"\xa2\x66__type\x65a#Bad\x67message\x64oops",
    b"\xd9\xd9\xf7\xbf\x66__type\x7f\x62a#\x63Bad\xff\x61f\xfb\0\0\0\0\0\0\0\0\x61l\x9f\x01\x80\xff\x67message\xc0\x64oops\xff",
    b"\xbf\x67Message\x5f\x41a\xff\x61n\x38\x20\x05\xf6\xff",
];

const PROFILES: [&str; 7] = [
    "[default]\nregion = us-east-1 # home\ns3 =\n  addressing_style = path\n  # c\n\n---\n[default]\naws_access_key_id=AKID\naws_secret_access_key=wJalrXUtnFEMIbPxRfiCY\naws_session_token = t\n",
    "[profile dev]\nrole_arn=arn:a\nsource_profile=base\nexternal_id=e\nduration_seconds=3600\nmfa_serial=m\nrole_session_name=n\n[profile base]\nrole_arn=arn:b\ncredential_source=Ec2InstanceMetadata\n",
    "[profile 'a b']\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n[sso-session s]; c\nsso_region=us-east-1\nsso_start_url=https://a.example/#/\n---\n[a b]\nk=v\n  w; c\n",
    "[default]\nk=v\n[profile default]\nrole_arn=a\nweb_identity_token_file=/t\n[services a]\ndynamodb =\n endpoint_url = http://localhost\n",
    "[profile a]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\nsource_profile=a\n[profile c]\nrole_arn=c\nsource_profile=c\ncredential_process=x \"y; z\"\n",
    "[a]\n[profile \"b]\"] # c\nsso_start_url=u\nsso_region=r\nlogin_session=arn\n---\n[profile a]\n[b c]\nk v = w\n",
    "[default]\naws_access_key_id=a\n[profile x]\nsource_profile=y\n[sso-sesion z]\n\tk = v\n",
];

/// The target and the seed.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let commands = COMMANDS.iter().map(|text| ("curl_command", text.as_bytes().to_vec()));
    let messages = MESSAGES.iter().map(|text| ("http_text", text.as_bytes().to_vec()));
    let maps = MAPS.iter().map(|map| ("http_text", map.to_vec()));
    let answers = MAPS.iter().map(|map| ("explain", [b"400 -\n\n", *map].concat()));
    let succeeded = ENTRY.replace("403", "200");
    let hars = [
        ENTRY.into(),
        format!(
            r#"{{"log":{{"version":"1.2","creator":{{"name":"WebInspector"}},"entries":[{succeeded},{ENTRY},{succeeded}]}}}}"#
        ),
        format!(r#"{{"log":{{"entries":[{ENTRY},{{"request":{{}},"response":{{"status":"500"}}}}]}}}}"#),
    ];
    let hars = hars.into_iter().map(|text| ("har", text.into_bytes()));
    let profiles = PROFILES.iter().map(|text| ("profiles", text.as_bytes().to_vec()));
    let credentials = ANSWERS.iter().map(|text| ("credential_answers", text.as_bytes().to_vec()));
    commands.chain(messages).chain(maps).chain(answers).chain(hars).chain(profiles).chain(credentials).collect()
}
