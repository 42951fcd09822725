//! The workspace as `cargo metadata` describes it, and the files git knows.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::process::{capture, cargo};

/// Repository paths and their text; a file that is not UTF-8 has none.
pub(crate) type Files = BTreeMap<String, String>;

/// The workspace's packages and folders.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
}

/// One crate of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) targets: Vec<Target>,
}

/// Something a package builds.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) src_path: PathBuf,
    kind: Vec<String>,
}

impl Target {
    /// Whether it is a program of tests of its own.
    pub(crate) fn is_test(&self) -> bool {
        self.kind.iter().any(|kind| kind == "test")
    }
}

impl Workspace {
    /// Asks cargo, from the current folder.
    pub(crate) fn load() -> io::Result<Self> {
        let json = capture(cargo(Path::new(".")).args(["metadata", "--format-version=1", "--no-deps"]))?;
        serde_json::from_str(&json).map_err(io::Error::other)
    }

    /// `git` at the root; what it says.
    pub(crate) fn git(&self, arguments: &[&str]) -> io::Result<String> {
        capture(Command::new("git").current_dir(&self.root).args(arguments))
    }

    /// Every file that git tracks or would track.
    pub(crate) fn files(&self) -> io::Result<Files> {
        let listed = self.git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        // One that is deleted and not yet committed, or a folder that is a link, is not read.
        let read = |path: &str| Some((path.to_owned(), fs::read(self.root.join(path)).ok()?));
        let files = listed.split('\0').filter(|path| !path.is_empty()).filter_map(read);
        Ok(files.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap_or_default())).collect())
    }
}
