//! Which crates the bytes of a library come from, by the names and sizes of its symbols as `nm` lists them.
//!
//! A function belongs to the crate that its path begins with: of a trait's method that is the type's crate, of a drop the
//! dropped type's. Constants without a name belong to nobody; so this says where the bulk is, not where every byte is.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::process::capture;

/// What a crate has of a library.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// The parts of a library that has its symbols, the biggest first.
pub(super) fn parts(library: &Path) -> io::Result<Vec<Part>> {
    let listed = capture(Command::new("nm").args(["--print-size", "--defined-only", "--demangle"]).arg(library))?;
    Ok(sum(&listed))
}

fn sum(listed: &str) -> Vec<Part> {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for line in listed.lines() {
        let mut words = line.splitn(4, ' ');
        let (Some(address), Some(size), Some(_), Some(name)) = (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(size) = u64::from_str_radix(size, 16) else { continue };
        // Functions of the same content share one place.
        if seen.insert(address) {
            let sum = sizes.entry(crate_of(name)).or_default();
            *sum = sum.saturating_add(size);
        }
    }
    let mut parts: Vec<_> = sizes.into_iter().map(|(name, bytes)| Part { name: name.to_owned(), bytes }).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    parts
}

/// The crate of a demangled name.
fn crate_of(name: &str) -> &str {
    if let Some(dropped) = name.strip_prefix("core::ptr::drop_in_place<") {
        return crate_of(dropped);
    }
    let name = name.trim_start_matches(['<', '&', '(', '[', '*', ' ']);
    let name = ["mut ", "const ", "dyn "].iter().fold(name, |name, word| name.strip_prefix(word).unwrap_or(name));
    let end = name.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(name.len());
    let (first, rest) = name.split_at(end);
    match first {
        "core" | "alloc" | "std" | "compiler_builtins" | "gimli" | "addr2line" | "rustc_demangle" | "miniz_oxide" => {
            "std"
        }
        _ if rest.starts_with("::") => first,
        _ if first.starts_with("ring_core") => "ring",
        _ if first.contains("saifu_ffi") => "saifu_ffi",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_belongs_to_the_crate_its_path_begins_with() {
        for (name, of) in [
            ("saifu::wallet::Wallet::open::h0123456789abcdef", "saifu"),
            ("<saifu_link::Session as core::fmt::Debug>::fmt::h0123456789abcdef", "saifu_link"),
            ("<&mut tokio::sync::Mutex<T> as core::fmt::Debug>::fmt", "tokio"),
            ("core::ptr::drop_in_place<alloc::vec::Vec<rustls::Cert>>", "std"),
            ("core::ptr::drop_in_place<rustls::client::Config>", "rustls"),
            ("<dyn core::any::Any>::is", "std"),
            ("ring_core_0_17_14__p256_point_mul", "ring"),
            ("uniffi_saifu_ffi_fn_method_wallet_home", "saifu_ffi"),
            ("memcpy", "other"),
        ] {
            assert_eq!(crate_of(name), of, "{name}");
        }
    }

    #[test]
    fn sizes_are_hexadecimal_and_one_place_counts_once() {
        let listed = "0000000000001000 0000000000000010 t rustls::a\n\
                      0000000000001000 0000000000000010 t sled::b\n\
                      0000000000002000 0000000000000008 r <sled::Db as core::clone::Clone>::clone\n\
                      0000000000003000 T no_size\n";
        let part = |name: &str, bytes| Part { name: name.to_owned(), bytes };
        assert_eq!(sum(listed), [part("rustls", 16), part("sled", 8)]);
    }
}
