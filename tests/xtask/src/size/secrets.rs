//! What a library that ships must not hold: whose machine built it, the control API and drills of our tests, keys, and telephone
//! numbers.

use std::path::Path;

use memchr::memmem;

use super::cargo_home;

/// Words of what only tests and the sandbox have. Put together from pieces where a file may not hold them whole.
const WORDS: &[(&str, &str)] = &[
    ("the sandbox", "saifu-sandbox"),
    ("the sandbox", "saifu_sandbox"),
    ("the sandbox", "sandbox.json"),
    ("the workbench", "saifu_qa"),
    ("a folder of tests", "saifu/tests/"),
    ("a test double", "host/src/doubles"),
    ("a test double", "MemoryHost"),
    ("a drill", "SAIFU_DRILL"),
    ("a variable of tests", "SAIFU_TEST"),
    ("the control API", "drop-answer"),
    ("the control API", "/explain/"),
    ("a private key", concat!("BEGIN ", "PRIVATE KEY")),
    ("a private key", concat!("BEGIN EC ", "PRIVATE KEY")),
];

/// The strings that are looked for.
pub(crate) struct Scan(Vec<(String, Vec<u8>)>);

impl Scan {
    /// For a library built on this machine from the workspace at `root`.
    pub(crate) fn new(root: &Path) -> Self {
        let home = std::env::home_dir();
        let folders =
            [("the builder's home", home), ("cargo's folder", cargo_home()), ("the workspace", Some(root.into()))];
        let folders = folders.into_iter().filter_map(|(what, folder)| Some((what, format!("{}/", folder?.display()))));
        let words = WORDS.iter().map(|(what, word)| (*what, (*word).to_owned()));
        Self(folders.chain(words).map(|(what, text)| (format!("{what} ({text})"), text.into_bytes())).collect())
    }

    /// What of it stands in `library`.
    pub(crate) fn findings(&self, library: &[u8]) -> Vec<String> {
        let has = |needle: &[u8]| memmem::find(library, needle).is_some();
        let mut findings: Vec<_> =
            self.0.iter().filter(|(_, needle)| has(needle)).map(|(what, _)| what.clone()).collect();
        findings.extend(telephone_numbers(library).into_iter().map(|number| telephone_number(&number)));
        findings
    }

    /// The control of [`findings`](Self::findings): what it misses in `library` once everything was put into it.
    pub(crate) fn missed(&self, library: &[u8]) -> Vec<String> {
        let number = concat!("0", "90-1234-5678");
        let mut expected: Vec<_> = self.0.iter().map(|(what, _)| what.clone()).collect();
        expected.push(telephone_number(number));
        let needles = self.0.iter().map(|(_, needle)| needle.as_slice()).chain([number.as_bytes()]);
        let planted = needles.fold(library.to_vec(), |bytes, needle| [&bytes[..], needle, b"\0"].concat());
        let found = self.findings(&planted);
        expected.into_iter().filter(|what| !found.contains(what)).collect()
    }
}

fn telephone_number(number: &str) -> String {
    format!("a telephone number ({number})")
}

/// Japanese mobile numbers: eleven digits, or three groups with hyphens, and no digit before or after.
fn telephone_numbers(bytes: &[u8]) -> Vec<String> {
    let part = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
    bytes
        .split(|byte| !part(byte))
        .filter_map(|text| std::str::from_utf8(text).ok())
        .filter(|text| is_mobile(text))
        .map(str::to_owned)
        .collect()
}

fn is_mobile(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plain = text.len() == 11;
    let grouped = text.len() == 13 && text.split('-').map(str::len).eq([3, 4, 4]);
    digits.len() == 11 && (plain || grouped) && ["070", "080", "090"].iter().any(|start| digits.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_planted_is_found() {
        let scan = Scan::new(Path::new("/a/workspace"));
        assert_eq!(scan.missed(b"clean"), [""; 0]);
        assert_eq!(scan.findings(b"clean"), [""; 0]);
        assert_eq!(scan.findings(b"/a/workspace/core/lib.rs"), ["the workspace (/a/workspace/)"]);
    }

    #[test]
    fn a_number_in_a_longer_row_of_digits_is_none() {
        assert_eq!(telephone_numbers(b"x09012345678 a070-1234-5678\0").len(), 2);
        assert_eq!(telephone_numbers(b"0607080910111213 03012345678 0901234567 09-012345678-"), [""; 0]);
    }
}
