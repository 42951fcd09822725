//! Text that others wrote (a scanned symbol, a folder's name, the issuer's words) as it may stand among ours: what a terminal
//! would act on is written out. JSON has it exactly.

use std::borrow::Cow;
use std::path::Path;

/// As it may stand within a line: control characters, line breaks and marks that change the direction of writing are `\n` or
/// `\u{1b}`.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// A path within a line; of one that is not UTF-8, what is.
pub(crate) fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy()).into_owned()
}

/// A path that is read back: a text, or its bytes in base64 where they are no text.
pub(crate) mod exact_path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Text(PathBuf),
        Bytes { base64: String },
    }

    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        let kept = match path.to_str() {
            Some(_) => Kept::Text(path.to_owned()),
            None => Kept::Bytes { base64: BASE64.encode(path.as_os_str().as_encoded_bytes()) },
        };
        kept.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        match Kept::deserialize(deserializer)? {
            Kept::Text(path) => Ok(path),
            Kept::Bytes { base64 } => {
                let bytes = BASE64.decode(base64.as_bytes()).map_err(serde::de::Error::custom)?;
                Ok(os_string(bytes).into())
            }
        }
    }

    #[cfg(unix)]
    fn os_string(bytes: Vec<u8>) -> OsString {
        std::os::unix::ffi::OsStringExt::from_vec(bytes)
    }

    #[cfg(not(unix))]
    fn os_string(bytes: Vec<u8>) -> OsString {
        String::from_utf8_lossy(&bytes).into_owned().into()
    }
}

/// Whole lines: their breaks are ours.
pub(crate) fn shown_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && acts(c))
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Whether a terminal does something else than to draw it.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Control: with `acts` saying no, each of these moves the cursor, rings, or forges a line.
    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        for (text, expected) in [
            ("\x1b[2Jx", "\\u{1b}[2Jx"),
            ("\x07", "\\u{7}"),
            ("a\r\nb", "a\\r\\nb"),
            ("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}"),
            ("\x7f\t\0", "\\u{7f}\\t\\u{0}"),
            ("ab\u{202e}cd\u{2066}", "ab\\u{202e}cd\\u{2066}"),
            ("x\u{2028}y\u{2029}z\u{feff}", "x\\u{2028}y\\u{2029}z\\u{feff}"),
            ("財布 ¥1,280 👩‍👧 é", "財布 ¥1,280 👩‍👧 é"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown_lines("a\nb\x1bc"), "a\nb\\u{1b}c");
    }
}
