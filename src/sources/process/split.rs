//! Splits a command into words, as the AWS CLI does: without a shell.

use alloc::string::String;
use alloc::vec::Vec;

/// Returns the words of a command, or `None` if a quotation mark isn't closed.
pub(super) fn words(command: &str, is_windows: bool) -> Option<Vec<String>> {
    if is_windows { windows(command) } else { shlex::split(command) }
}

/// The rules of the Microsoft C runtime, which programs on Windows parse their command line with: only double quotes are
/// quotation marks, and backslashes are literal, as paths need them, unless a quotation mark follows. Of these, two make
/// one backslash, and a last one makes the mark literal.
///
/// Microsoft: [Parsing C command-line arguments](https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments)
fn windows(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut is_quoted, mut backslashes) = (Vec::new(), None, false, 0);
    for c in command.chars() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let literal = if c == '"' { backslashes / 2 } else { backslashes };
        let is_escaped = c == '"' && backslashes % 2 == 1;
        if backslashes > 0 {
            word.get_or_insert_with(String::new).extend(core::iter::repeat_n('\\', literal));
        }
        backslashes = 0;
        match c {
            '"' if !is_escaped => {
                word.get_or_insert_with(String::new);
                is_quoted = !is_quoted;
            }
            ' ' | '\t' | '\r' | '\n' if !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    if backslashes > 0 {
        word.get_or_insert_with(String::new).extend(core::iter::repeat_n('\\', backslashes));
    }
    words.extend(word);
    (!is_quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, is_windows: bool, expected: Option<&[&str]>) {
        let found = words(command, is_windows);
        assert_eq!(
            found.as_ref().map(|words| words.iter().map(String::as_str).collect::<Vec<_>>()).as_deref(),
            expected
        );
    }

    #[test]
    fn quotes_are_honoured_and_nothing_is_expanded() {
        check("", false, Some(&[]));
        check(" \t\n ", false, Some(&[]));
        check("prog a  b", false, Some(&["prog", "a", "b"]));
        check(
            r#""/opt/my tools/prog" --user 'a b' c\ d "" "#,
            false,
            Some(&["/opt/my tools/prog", "--user", "a b", "c d", ""]),
        );
        check(r#"p "a\"b" 'c\d' e"f"g "#, false, Some(&["p", "a\"b", r"c\d", "efg"]));
        check("p $HOME ~ * | ; && `x`", false, Some(&["p", "$HOME", "~", "*", "|", ";", "&&", "`x`"]));
    }

    #[test]
    fn an_open_quotation_mark_is_found() {
        for command in ["p \"a", "p 'a", "p a'", "\"", "p \\", "p \"a\\\"", "p 'it''s"] {
            check(command, false, None);
        }
        for command in ["p \"a", "\"", "p \"a\\\"", r#"p """"#] {
            check(command, true, None);
        }
    }

    // The examples of Microsoft's page come first.
    #[test]
    fn on_windows_backslashes_belong_to_paths() {
        check(r#""a b c" d e"#, true, Some(&["a b c", "d", "e"]));
        check(r#""ab\"c" "\\" d"#, true, Some(&["ab\"c", "\\", "d"]));
        check(r#"a\\\b d"e f"g h"#, true, Some(&[r"a\\\b", "de fg", "h"]));
        check(r#"a\\\"b c d"#, true, Some(&[r#"a\"b"#, "c", "d"]));
        check(r#"a\\\\"b c" d e"#, true, Some(&[r"a\\b c", "d", "e"]));
        check(
            r#""C:\Program Files\x\p.exe" C:\a\ 'b c'"#,
            true,
            Some(&[r"C:\Program Files\x\p.exe", r"C:\a\", "'b", "c'"]),
        );
        check("", true, Some(&[]));
        check(" \"\"\t\\ ", true, Some(&["", "\\"]));
    }
}
