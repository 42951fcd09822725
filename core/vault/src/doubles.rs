//! A disk in memory for crash tests, here and in crates above: it keeps what was written and what would survive, dies at
//! a chosen operation, and says what a machine would find after its restart.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Disk;

/// What becomes of bytes that were written and not synchronised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// They are gone.
    Lost,
    /// The first half of them is there.
    Torn,
    /// The first half is there, and the file has its new length: zeros to the end.
    Zeroed,
    /// All are there.
    Kept,
}

/// How a crash leaves the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// The bytes of files.
    pub bytes: Unsynced,
    /// Whether new names, renames and removals since the last folder sync are there.
    pub names_kept: bool,
}

impl Crash {
    /// Every combination.
    pub const ALL: [Self; 8] = {
        use Unsynced::{Kept, Lost, Torn, Zeroed};
        [
            Self { bytes: Lost, names_kept: false },
            Self { bytes: Torn, names_kept: false },
            Self { bytes: Zeroed, names_kept: false },
            Self { bytes: Kept, names_kept: false },
            Self { bytes: Lost, names_kept: true },
            Self { bytes: Torn, names_kept: true },
            Self { bytes: Zeroed, names_kept: true },
            Self { bytes: Kept, names_kept: true },
        ]
    };
}

#[derive(Clone, Default)]
struct Contents {
    live: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Clone, Default)]
struct Image {
    /// By number, as a file system's inodes: a rename moves a name, not bytes.
    files: Vec<Contents>,
    live_names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    operations: u64,
    dies_at: Option<u64>,
    syncs_lie: bool,
}

/// A disk whose crash can be looked at from every side.
#[derive(Default)]
pub struct MemoryDisk(Mutex<Image>);

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many changing operations there were (all but reads).
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.image().operations
    }

    /// The power fails during this operation (counted from 0): it may have happened in part, and all later ones fail.
    pub fn die_at(&self, operation: u64) {
        self.image().dies_at = Some(operation);
    }

    /// Syncs return at once and do nothing, as cheap hardware does. The control of a crash test.
    pub fn lie_about_syncs(&self) {
        self.image().syncs_lie = true;
    }

    /// The disk that the restarted machine finds.
    #[must_use]
    pub fn after(&self, crash: Crash) -> Self {
        let image = self.image();
        let files = image.files.iter().map(|file| {
            let survivor = survivor(file, crash.bytes);
            Contents { live: survivor.clone(), durable: survivor }
        });
        let names = if crash.names_kept { &image.live_names } else { &image.durable_names };
        Self(Mutex::new(Image {
            files: files.collect(),
            live_names: names.clone(),
            durable_names: names.clone(),
            ..Image::default()
        }))
    }

    /// A durable file with these bytes, as a thief or a failing medium leaves it.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut image = self.image();
        let number = image.files.len();
        image.files.push(Contents { live: bytes.clone(), durable: bytes });
        image.live_names.insert(name.to_owned(), number);
        image.durable_names.insert(name.to_owned(), number);
    }

    /// The bytes of a file.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let image = self.image();
        let number = *image.live_names.get(name)?;
        image.files.get(number).map(|file| file.live.clone())
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the operation and lets it happen. During the one that dies it happens in part (`change` is told), and the
    /// caller hears an error.
    fn operate(&self, change: impl FnOnce(&mut Image, bool) -> io::Result<()>) -> io::Result<()> {
        let mut image = self.image();
        let number = image.operations;
        image.operations = number.saturating_add(1);
        match image.dies_at {
            Some(at) if number > at => Err(power_off()),
            Some(at) if number == at => change(&mut image, true).and(Err(power_off())),
            _ => change(&mut image, false),
        }
    }
}

fn power_off() -> io::Error {
    io::Error::other("the power is off")
}

fn survivor(file: &Contents, fate: Unsynced) -> Vec<u8> {
    // Nearly always an append, for which no byte need be looked at twice.
    let shared = if file.live.starts_with(&file.durable) {
        file.durable.len()
    } else {
        file.live.iter().zip(&file.durable).take_while(|(live, durable)| live == durable).count()
    };
    let fresh = file.live.get(shared..).unwrap_or_default();
    let torn = file.live.get(..shared.saturating_add(fresh.len() / 2)).unwrap_or_default();
    match fate {
        Unsynced::Lost => file.durable.clone(),
        Unsynced::Kept => file.live.clone(),
        Unsynced::Torn => torn.to_vec(),
        Unsynced::Zeroed => {
            let mut bytes = torn.to_vec();
            bytes.resize(file.live.len(), 0);
            bytes
        }
    }
}

impl Image {
    fn file(&mut self, name: &str) -> io::Result<&mut Contents> {
        let number = self.live_names.get(name).copied();
        number.and_then(|number| self.files.get_mut(number)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for MemoryDisk {
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1);
        Ok(self.get(name).map(|mut bytes| {
            bytes.truncate(most);
            bytes
        }))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.operate(|image, _| {
            if !image.live_names.contains_key(name) {
                image.live_names.insert(name.to_owned(), image.files.len());
                image.files.push(Contents::default());
            }
            image.file(name)?.live = bytes.to_vec();
            Ok(())
        })
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.operate(|image, _| {
            image.file(name)?.live.extend_from_slice(bytes);
            Ok(())
        })
    }

    fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        self.operate(|image, _| {
            image.file(name)?.live.truncate(usize::try_from(len).unwrap_or(usize::MAX));
            Ok(())
        })
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.operate(|image, dying| {
            let works = !image.syncs_lie && !dying;
            let file = image.file(name)?;
            if works {
                file.durable = file.live.clone();
            }
            Ok(())
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operate(|image, _| {
            let number = image.live_names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            image.live_names.insert(to.to_owned(), number);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operate(|image, _| {
            image.live_names.remove(name);
            Ok(())
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.operate(|image, dying| {
            if !image.syncs_lie && !dying {
                image.durable_names = image.live_names.clone();
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_synchronised_bytes_and_names_survive_the_worst_crash() {
        let disk = MemoryDisk::new();
        disk.write("a", b"old").unwrap();
        disk.sync("a").unwrap();
        disk.sync_folder().unwrap();
        disk.append("a", b"1234").unwrap();
        disk.write("b", b"new").unwrap();
        let found = |bytes, names_kept, name| disk.after(Crash { bytes, names_kept }).get(name);
        assert_eq!(found(Unsynced::Lost, false, "a").unwrap(), b"old");
        assert_eq!(found(Unsynced::Torn, false, "a").unwrap(), b"old12");
        assert_eq!(found(Unsynced::Zeroed, false, "a").unwrap(), b"old12\0\0");
        assert_eq!(found(Unsynced::Kept, false, "a").unwrap(), b"old1234");
        assert_eq!(found(Unsynced::Kept, false, "b"), None);
        assert_eq!(found(Unsynced::Lost, true, "b").unwrap(), b"");
    }

    #[test]
    fn nothing_happens_after_death() {
        let disk = MemoryDisk::new();
        disk.die_at(1);
        disk.write("a", b"one").unwrap();
        assert!(disk.sync("a").is_err() && disk.write("a", b"two").is_err());
        let worst = Crash { bytes: Unsynced::Lost, names_kept: true };
        assert_eq!(disk.after(worst).get("a").unwrap(), b"");
        assert_eq!(disk.get("a").unwrap(), b"one");
    }
}
