//! Which requests need a signature.

use crate::serve::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    AwsIam,
    None,
}

impl Authorization {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "AWS_IAM" => Some(Self::AwsIam),
            "NONE" => Some(Self::None),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsIam => "AWS_IAM",
            Self::None => "NONE",
        }
    }
}

/// A method, or `ANY`, and a path prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub methods: Vec<String>,
    pub path_prefix: String,
    pub authorization: Authorization,
}

impl Route {
    /// Parses `GET /path=NONE`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "a route must have the form `GET /path=NONE` or `ANY /path=AWS_IAM`";
        let (method, rest) = text.trim().split_once(' ').ok_or(FORM)?;
        let (path, authorization) = rest.trim().rsplit_once('=').ok_or(FORM)?;
        let authorization = Authorization::parse(authorization).ok_or(FORM)?;
        check_method(method)?;
        check_prefix(path)?;
        Ok(Self { methods: vec![method.into()], path_prefix: path.into(), authorization })
    }

    fn applies(&self, method: &str, path: &Path) -> bool {
        let is_method =
            |is_same: fn(&str, &str) -> bool| self.methods.iter().any(|own| own == "ANY" || is_same(own, method));
        match self.authorization {
            // Some servers write `post` in capitals.
            Authorization::AwsIam => is_method(str::eq_ignore_ascii_case) && path.may_be_below(&self.path_prefix),
            Authorization::None => is_method(str::eq) && path.is_clear() && path.is_below(&self.path_prefix),
        }
    }
}

/// The longest prefix decides. Without a route, and if two routes of the same length disagree, a signature is needed.
pub fn find<'r>(routes: impl IntoIterator<Item = &'r Route>, method: &str, path: &Path) -> Option<&'r Route> {
    let applying = routes.into_iter().filter(|route| route.applies(method, path));
    applying.max_by_key(|route| {
        let length = route.path_prefix.trim_end_matches('/').len();
        (length, route.authorization == Authorization::AwsIam)
    })
}

pub fn check_method(method: &str) -> Result<(), &'static str> {
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if is_method { Ok(()) } else { Err("a method must be ANY, or in capital letters, such as GET") }
}

pub fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    if prefix.contains('%') {
        return Err("a path prefix is compared with the decoded path; write it without percent-encoding");
    }
    if Path::parse(prefix).is_clear() {
        Ok(())
    } else {
        Err(
            "a path prefix must begin with a slash, without `..`, `//`, `;` and other parts that servers read differently",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let routes = [
            Route::parse("GET /=NONE").unwrap(),
            Route::parse("ANY /dev=AWS_IAM").unwrap(),
            Route::parse("GET /dev/public/=NONE").unwrap(),
            Route::parse("GET /dev/public=AWS_IAM").unwrap(),
            Route::parse("POST /dev/public=NONE").unwrap(),
        ];
        let is_public = |method, path| {
            find(&routes, method, &Path::parse(path)).is_some_and(|route| route.authorization == Authorization::None)
        };
        assert!(is_public("GET", "/") && is_public("GET", "/x") && is_public("POST", "/dev/public/x"));
        assert!(!is_public("POST", "/") && !is_public("GET", "/dev/x") && !is_public("GET", "/dev/public"));
        // Ways around the prefix that needs a signature.
        for path in
            ["/Dev/x", "/%64ev/x", "//dev/x", "/x/../dev", "/x/%2e%2e/dev", "/dev;a/x", "/%2564ev", "/x%2f..%2fdev"]
        {
            assert!(!is_public("GET", path), "{path}");
        }
    }

    #[test]
    fn wrong_routes() {
        for text in
            ["", "/a=NONE", "GET /a", "GET /a=none", "get /a=NONE", "GET a=NONE", "GET /a/../b=NONE", "GET /%61=NONE"]
        {
            assert!(Route::parse(text).is_err(), "{text}");
        }
    }
}
