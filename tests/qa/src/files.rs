//! Files that the command is pointed at. Results are written by one function and pictures, policies and snapshots are read by
//! another, so that a link, a pipe or a device in the place of a file has one meaning everywhere.
//!
//! | What has that name | Writing | Reading |
//! | --- | --- | --- |
//! | nothing, or a plain file | written beside it, synchronised, then given the name | read |
//! | a link | what it leads to, which keeps the link | the same |
//! | a pipe, a terminal, a character device | written through, nothing is replaced | refused |
//! | a file with other names, a read-only one, a folder, a disk, a socket, a link to nothing | refused | refused, except the first two |

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, at};

/// Who may read what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the system lets read new files.
    Usual,
    /// The owner alone: there are keys in it.
    Owner,
}

/// Writes a result. Whatever goes wrong, what was there before is there still.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    write_io(path, bytes, readers).map_err(at(path))
}

pub(crate) fn write_io(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, bytes, permissions(readers, None)),
        Err(error) => Err(error),
        Ok(link) if link.is_symlink() => {
            let there = fs::metadata(path).map_err(|_| refused("it is a link that leads nowhere"))?;
            // A device may have no other name than the link's.
            let target = if there.is_file() { path.canonicalize()? } else { path.to_owned() };
            write_over(&target, &there, bytes, readers)
        }
        Ok(there) => write_over(path, &there, bytes, readers),
    }
}

fn write_over(path: &Path, there: &Metadata, bytes: &[u8], readers: Readers) -> io::Result<()> {
    if there.is_dir() {
        return Err(refused("it is a folder"));
    }
    if !there.is_file() {
        return write_through(path, there, bytes);
    }
    if there.permissions().readonly() {
        return Err(refused("it may not be written to"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(there) > 1 {
        return Err(refused("the file has other names too (hard links), which would keep the old contents"));
    }
    replace(path, bytes, permissions(readers, Some(there)))
}

fn permissions(readers: Readers, before: Option<&Metadata>) -> Option<Permissions> {
    match (readers, before) {
        (Readers::Owner, _) => None,
        (Readers::Usual, Some(before)) => Some(before.permissions()),
        #[cfg(unix)]
        (Readers::Usual, None) => Some(std::os::unix::fs::PermissionsExt::from_mode(0o666)),
        #[cfg(not(unix))]
        (Readers::Usual, None) => None,
    }
}

/// Complete and on the medium before it has its name; without permissions it is its owner's alone.
fn replace(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".saifu-");
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let mut beside = builder.tempfile_in(&folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path).map_err(|error| error.error)?;
    sync_folder(&folder)
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Makes the names in a folder durable. Windows has no handle to a folder that could be synchronised.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
fn write_through(path: &Path, there: &Metadata, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    use rustix::fs::OFlags;
    let kind = there.file_type();
    if !(kind.is_fifo() || kind.is_char_device()) {
        return Err(refused("it is no file, no pipe and no terminal"));
    }
    // A pipe that nobody reads would keep us waiting for ever.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let opened = fs::OpenOptions::new().write(true).custom_flags(flags).open(path);
    let mut file = match opened {
        Err(error) if kind.is_fifo() && error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            return Err(refused("it is a pipe that nobody reads"));
        }
        opened => opened?,
    };
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK))?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn write_through(_: &Path, _: &Metadata, _: &[u8]) -> io::Result<()> {
    Err(refused("it is no plain file"))
}

/// Reads a plain file of at most so many bytes. A pipe may never end and a device never begin.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    read_io(path, most).map_err(at(path))
}

pub(crate) fn read_io(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let there = fs::metadata(path)?;
    if !there.is_file() {
        return Err(refused(if there.is_dir() { "it is a folder" } else { "it is no plain file" }));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= most => Ok(bytes),
        _ => Err(refused(&format!("it has over {most} bytes"))),
    }
}

/// Adds a line of JSON to a plain file that is its owner's alone, in one call: lines of two processes never mix.
pub(crate) fn append(path: &Path, document: &impl serde::Serialize) -> io::Result<File> {
    // A pipe would be waited for without an end.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(refused("it is no plain file"));
    }
    let mut line = serde_json::to_vec(document)?;
    line.push(b'\n');
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.create(true).append(true).open(path)?;
    file.write_all(&line)?;
    Ok(file)
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
        write_io(path, bytes, Readers::Usual).map_err(|error| error.to_string())
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Control: with the rename done for whatever has the name, the link, the hard link and the device are plain files here.
    #[test]
    fn what_is_no_plain_file_is_written_through_or_refused_and_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("plain"), "old").unwrap();
        symlink("plain", at("link")).unwrap();
        write(&at("link"), b"new").unwrap();
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::read(at("plain")).unwrap(), b"new");

        fs::hard_link(at("plain"), at("twin")).unwrap();
        assert!(write(&at("twin"), b"x").unwrap_err().contains("other names"));
        assert!(write(&at("link"), b"x").unwrap_err().contains("other names"));
        symlink("nothing", at("dangling")).unwrap();
        assert!(write(&at("dangling"), b"x").unwrap_err().contains("nowhere"));
        fs::create_dir(at("folder")).unwrap();
        assert!(write(&at("folder"), b"x").unwrap_err().contains("folder"));
        fs::write(at("kept"), "old").unwrap();
        fs::set_permissions(at("kept"), Permissions::from_mode(0o444)).unwrap();
        assert!(write(&at("kept"), b"x").unwrap_err().contains("may not be written"));
        symlink("/dev/full", at("full")).unwrap();
        assert!(write(&at("full"), b"x").is_err());
        symlink("/dev/null", at("null")).unwrap();
        write(&at("null"), b"x").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(write(&at("socket"), b"x").is_err());
        let before = names(folder.path());
        assert!(write(&at("no/such/folder"), b"x").is_err());
        assert_eq!(names(folder.path()), before, "nothing is left behind");
        assert_eq!(fs::read(at("twin")).unwrap(), b"new");
    }

    #[test]
    fn a_pipe_is_written_through_where_somebody_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(write(&pipe, b"x").unwrap_err().contains("nobody reads"));
        assert!(read_io(&pipe, 10).is_err());
        let mut reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        write(&pipe, b"through").unwrap();
        let mut bytes = [0; 7];
        reader.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"through");
    }

    #[test]
    fn a_file_that_is_replaced_keeps_who_may_read_it_unless_there_are_keys_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let mode = |file: &Path| fs::metadata(file).unwrap().mode() & 0o777;
        write(&file, b"one").unwrap();
        assert_eq!(mode(&file) & 0o400, 0o400);
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        write(&file, b"two").unwrap();
        assert_eq!(mode(&file), 0o640);
        write_io(&file, b"keys", Readers::Owner).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn only_plain_files_of_a_bounded_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "12345").unwrap();
        assert_eq!(read_io(&file, 5).unwrap(), b"12345");
        for (path, most) in [(file.as_path(), 4), (folder.path(), 99), (Path::new("/dev/zero"), 99)] {
            assert!(read_io(path, most).is_err(), "{}", path.display());
        }
    }
}
