//! A disk in memory for crash tests, here and in crates above: it keeps what was written and what would survive, is full
//! for a while, dies at a chosen operation, and says what a machine would find after its restart.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
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
    /// What a failed sync lost: later ones take it for written.
    lost: Vec<Range<usize>>,
}

impl Contents {
    fn new(bytes: Vec<u8>) -> Self {
        Self { live: bytes.clone(), durable: bytes, lost: Vec::new() }
    }

    fn sync(&mut self) {
        self.durable = self.live.clone();
        for range in &self.lost {
            if let Some(lost) = self.durable.get_mut(range.clone()) {
                lost.fill(0);
            }
        }
    }
}

#[derive(Clone, Default)]
struct Image {
    /// By number, as a file system's inodes: a rename moves a name, not bytes.
    files: Vec<Contents>,
    live_names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    operations: u64,
    dies_at: Option<u64>,
    full: Range<u64>,
    syncs_lie: bool,
}

/// How an operation goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    /// The disk is full: done by half, and refused.
    Refused,
    Dying,
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

    /// The disk is full during these operations (counted from 0): each is refused and may have happened in part, and what a
    /// refused sync did not write is lost, though later syncs say that it is there. Before and after it works.
    pub fn full_during(&self, operations: Range<u64>) {
        self.image().full = operations;
    }

    /// Syncs return at once and do nothing, as cheap hardware does. The control of a crash test.
    pub fn lie_about_syncs(&self) {
        self.image().syncs_lie = true;
    }

    /// The disk that the restarted machine finds.
    #[must_use]
    pub fn after(&self, crash: Crash) -> Self {
        let image = self.image();
        let files = image.files.iter().map(|file| Contents::new(survivor(file, crash.bytes)));
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
        image.files.push(Contents::new(bytes));
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

    /// Counts the operation and lets it happen. One that does not go well happens in part (`change` is told), and the
    /// caller hears an error.
    fn operate(&self, change: impl FnOnce(&mut Image, Fate) -> io::Result<()>) -> io::Result<()> {
        let mut image = self.image();
        let number = image.operations;
        image.operations = number.saturating_add(1);
        match image.dies_at {
            Some(at) if number > at => Err(power_off()),
            Some(at) if number == at => change(&mut image, Fate::Dying).and(Err(power_off())),
            _ if image.full.contains(&number) => {
                change(&mut image, Fate::Refused).and(Err(io::ErrorKind::StorageFull.into()))
            }
            _ => change(&mut image, Fate::Done),
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
        self.operate(|image, fate| {
            if !image.live_names.contains_key(name) {
                image.live_names.insert(name.to_owned(), image.files.len());
                image.files.push(Contents::default());
            }
            let file = image.file(name)?;
            file.live = part(bytes, fate).to_vec();
            file.lost.clear();
            Ok(())
        })
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.operate(|image, fate| {
            image.file(name)?.live.extend_from_slice(part(bytes, fate));
            Ok(())
        })
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.operate(|image, fate| {
            let lies = image.syncs_lie;
            let file = image.file(name)?;
            match fate {
                Fate::Done if !lies => file.sync(),
                Fate::Refused => file.lost.push(file.durable.len()..file.live.len()),
                Fate::Done | Fate::Dying => {}
            }
            Ok(())
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operate(|image, fate| {
            if fate != Fate::Refused {
                let number = image.live_names.remove(from).ok_or(io::ErrorKind::NotFound)?;
                image.live_names.insert(to.to_owned(), number);
            }
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operate(|image, fate| {
            if fate != Fate::Refused {
                image.live_names.remove(name);
            }
            Ok(())
        })
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        self.operate(|image, fate| {
            // Of a folder a part goes at a time.
            let inside = |file: &String| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
            let mut files: Vec<_> = image.live_names.keys().filter(|file| inside(file)).cloned().collect();
            if fate != Fate::Done {
                files.truncate(files.len() / 2);
            }
            for file in files {
                image.live_names.remove(&file);
            }
            Ok(())
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.operate(|image, fate| {
            if !image.syncs_lie && fate == Fate::Done {
                image.durable_names = image.live_names.clone();
            }
            Ok(())
        })
    }
}

/// What of these bytes gets through. One that dies is not torn here: [`Unsynced`] tears it.
fn part(bytes: &[u8], fate: Fate) -> &[u8] {
    let len = if fate == Fate::Refused { bytes.len() / 2 } else { bytes.len() };
    bytes.get(..len).unwrap_or_default()
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

    #[test]
    fn full_disk_refuses_for_a_while_and_a_failed_sync_is_believed_by_nobody() {
        let disk = MemoryDisk::new();
        disk.write("a", b"old").unwrap();
        disk.sync("a").unwrap();
        disk.sync_folder().unwrap();
        disk.full_during(3..4);
        assert_eq!(disk.append("a", b"1234").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.get("a").unwrap(), b"old12");
        disk.full_during(4..5);
        assert!(disk.sync("a").is_err());
        disk.sync("a").unwrap();
        let worst = Crash { bytes: Unsynced::Lost, names_kept: true };
        assert_eq!(disk.after(worst).get("a").unwrap(), b"old\0\0");
    }
}
