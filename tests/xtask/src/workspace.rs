//! The workspace as `cargo metadata` describes it, and the files git knows.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::process::{capture, cargo};

/// The workspace's packages and folders.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    target_directory: PathBuf,
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
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

/// What a target is for, as far as testing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TargetKind {
    Library,
    Binary,
    Integration,
    Other,
}

impl Target {
    pub(crate) fn kind(&self) -> TargetKind {
        match self.kind.first().map(String::as_str) {
            Some("bin") => TargetKind::Binary,
            Some("test") => TargetKind::Integration,
            Some("example" | "bench" | "custom-build") | None => TargetKind::Other,
            Some(_) => TargetKind::Library,
        }
    }
}

impl Workspace {
    /// Asks cargo, from the current folder.
    pub(crate) fn load() -> io::Result<Self> {
        let json = capture(cargo(Path::new(".")).args(["metadata", "--format-version=1", "--no-deps"]))?;
        serde_json::from_str(&json).map_err(io::Error::other)
    }

    /// `target/xtask`, where logs and scratch files go; made if absent.
    pub(crate) fn scratch(&self) -> io::Result<PathBuf> {
        let folder = self.target_directory.join("xtask");
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target_directory
    }

    /// `path` as a repository path with forward slashes.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// Every file that git tracks or would track, with its text; `None` for one that is not UTF-8.
    pub(crate) fn files(&self) -> io::Result<BTreeMap<String, Option<String>>> {
        let mut git = Command::new("git");
        git.current_dir(&self.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let mut files = BTreeMap::new();
        for path in capture(&mut git)?.split('\0').filter(|path| !path.is_empty()) {
            match fs::read(self.root.join(path)) {
                Ok(bytes) => files.insert(path.to_owned(), String::from_utf8(bytes).ok()),
                // Deleted but not yet committed, or a folder that is a link.
                Err(_) => continue,
            };
        }
        Ok(files)
    }
}
