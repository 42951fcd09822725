//! What a locked wallet leaves in its process's memory. A helper (this same program, started anew) signs up, pays, fills its
//! history and locks; its parent reads every writable byte of it before and after, and looks for the vault key, the offline
//! seed, the TOTP secret, access tokens, and secrets of the test's own.
//!
//! Controls: before the lock all of them must be found. Take the allocator out of `saifu_qa` (`src/lib.rs`), or the wiping of
//! the stack out of `saifu_crypto`, and the test finds copies after it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use saifu::{Amount, Channel, Config, PhoneNumber, Purpose, Wallet};
use saifu_code::Totp;
use saifu_crypto::{HashAlgorithm, Secret, SystemRandom};
use saifu_host::desktop::{DesktopClock, DesktopHost, KeyStore};
use saifu_rig::terminal::config;
use saifu_sandbox::SandboxInfo;
use saifu_vault::{FolderDisk, JOURNAL_FILE, Journal};
use serde_json::json;
use tokio::runtime::Handle;

// With its allocator, which is what this test is about.
use saifu_qa as _;

use crate::support::common::issuer;

const HELPER: &str = "SAIFU_MEMORY_HELPER";
const NUMBER: &str = "090-4000-0077";
/// What the helper holds and lets go of, one step of arithmetic away from what this program has in its own text.
const PLANTED: [u8; 32] = *b"-sevomer-toidutsa-ssel-nahtegats";

fn host(folder: &Path) -> DesktopHost {
    DesktopHost::open(&folder.join("keys"), KeyStore::File, Arc::new(DesktopClock::new())).unwrap()
}

fn planted(step: u8) -> Vec<u8> {
    PLANTED.iter().map(|byte| byte.wrapping_add(step)).collect()
}

/// The helper's life, told line by line; after some lines it waits for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helper() {
    let Some(home) = std::env::var_os(HELPER).map(PathBuf::from) else { return };
    let say = |line: &str| println!("\n> {line}");
    let hear = || std::io::stdin().lines().next().unwrap().unwrap();
    let info = SandboxInfo::read(Path::new(&hear())).unwrap();
    let host = host(&home);
    let config =
        Config { folder: home.join("wallet"), issuer: config(&info, &info.customer_url), app_version: "rig".into() };
    let wallet = Wallet::open(host.platform(), config, Handle::current()).unwrap();
    let sign_up = wallet.sign_up(PhoneNumber::parse(NUMBER).unwrap()).await.unwrap();
    say("code");
    sign_up.confirm(&hear()).await.unwrap();
    let approval = wallet.top_up(Channel::Atm, Amount::new(1_000).unwrap()).await.unwrap();
    let signature = host.authorize(approval.message()).unwrap();
    approval.confirm(signature).await.unwrap();
    wallet.next_code(Purpose::Pay).await.unwrap();
    for _ in 0..3 {
        wallet.refresh().await.unwrap();
        wallet.history(10).await.unwrap();
    }
    wallet.lock();
    wallet.unlock().unwrap();
    wallet.refresh().await.unwrap();

    let kept = Secret::new(planted(1));
    // A buffer that grows without a thought, and another that is freed as it is.
    let mut grown = Vec::new();
    for _ in 0..40 {
        grown.extend_from_slice(&planted(2));
    }
    say(wallet.totp().unwrap().code.expose());
    hear();
    drop((kept, grown));
    wallet.lock();
    say("locked");
    // Other sessions with other tokens, for the parent to compare.
    for _ in 0..2 {
        hear();
        wallet.unlock().unwrap();
        wallet.refresh().await.unwrap();
        say("open");
        hear();
        wallet.lock();
        say("locked");
    }
    // Until its parent ends it.
    hear();
}

struct Helper {
    child: Child,
    out: BufReader<ChildStdout>,
    input: ChildStdin,
}

impl Helper {
    fn start(home: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["memory::helper", "--exact", "--nocapture", "--test-threads=1"]).env(HELPER, home);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (out, input) = (BufReader::new(child.stdout.take().unwrap()), child.stdin.take().unwrap());
        Self { child, out, input }
    }

    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the helper ended");
            if let Some(told) = line.strip_prefix("> ") {
                return told.trim().to_owned();
            }
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Every readable and writable mapping, by its line in the map. One that is given back while this reads holds nothing.
    fn memory(&self) -> BTreeMap<String, Vec<u8>> {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let memory = File::open(process.join("mem")).unwrap();
        let mut found = BTreeMap::new();
        for line in fs::read_to_string(process.join("maps")).unwrap().lines() {
            let mut words = line.split_whitespace();
            let (from, to) = words.next().unwrap().split_once('-').unwrap();
            if !words.next().unwrap().starts_with("rw") {
                continue;
            }
            let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            match memory.read_exact_at(&mut bytes, from) {
                Ok(()) => drop(found.insert(line.to_owned(), bytes)),
                Err(error) => {
                    let still = fs::read_to_string(process.join("maps")).unwrap().lines().any(|other| other == line);
                    assert!(!still, "{line}: {error}");
                }
            }
        }
        found
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a secret is, as `mapping+offset`.
fn places(memory: &BTreeMap<String, Vec<u8>>, secret: &[u8]) -> Vec<String> {
    let finder = memchr::memmem::Finder::new(secret);
    let within = |(line, bytes): (&String, &Vec<u8>)| {
        finder.find_iter(bytes).map(|at| format!("{line} +{at:#x}")).collect::<Vec<_>>()
    };
    memory.iter().flat_map(within).collect()
}

/// The access tokens that connections have sent and still hold: 256 bits as base64url.
/// Whatever has the form of a token: 32 bytes in base64url (RFC 4648 §5), neither longer nor shorter.
fn tokens(memory: &BTreeMap<String, Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let runs = memory.values().flat_map(|bytes| bytes.split(move |byte| !alphabet(byte)));
    runs.filter(|run| run.len() == 43).map(<[u8]>::to_vec).collect()
}

/// The vault key and the state, read from a copy of the wallet's files.
fn opened(home: &Path) -> (Secret, Secret) {
    let secrets = host(home).platform().secrets;
    let copy = tempfile::tempdir().unwrap();
    let journal = fs::read(home.join("wallet").join(JOURNAL_FILE)).unwrap();
    fs::write(copy.path().join(JOURNAL_FILE), &journal).unwrap();
    let disk = Arc::new(FolderDisk::open(copy.path()).unwrap());
    let (_, state) = Journal::open(disk, Arc::clone(&secrets), Arc::new(SystemRandom)).unwrap();
    let sealed_len = usize::from(u16::from_be_bytes([journal[34], journal[35]]));
    (secrets.unseal(&journal[36..36 + sealed_len]).unwrap(), state.unwrap())
}

#[test]
fn locked_wallet_leaves_no_secret_in_memory() {
    let issuer = issuer(None);
    // Time is held: a nonce that the issuer renews meanwhile has the form of a token too, and stays.
    let held = issuer.control("POST", "/clock", json!({ "held": true }));
    let home = tempfile::tempdir().unwrap();
    let mut helper = Helper::start(home.path());
    helper.say(issuer.info_file().to_str().unwrap());
    assert_eq!(helper.hear(), "code");
    helper.say(&issuer.sms_code(&PhoneNumber::parse(NUMBER).unwrap()));
    let shown = helper.hear();
    let before = helper.memory();

    let (vault_key, state) = opened(home.path());
    // The TOTP secret is the one place of the state that makes the code shown, give or take what the clocks say.
    let now = held["now"].as_u64().unwrap() / 1_000;
    let shows = |secret: &&[u8]| {
        let (totp, secret) = (Totp::new(HashAlgorithm::Sha1, 6, 30).unwrap(), Secret::copy_of(secret));
        (0..3).any(|steps| totp.code(&secret, (now + 30).saturating_sub(30 * steps)) == shown)
    };
    let totp_secret = state.expose().windows(20).find(shows).unwrap_or_else(|| panic!("no secret shows {shown}"));
    let mut secrets = vec![("the vault key", vault_key.expose().to_vec()), ("the TOTP secret", totp_secret.to_vec())];
    secrets.extend([("kept", planted(1)), ("grown", planted(2))]);
    // The offline seed is 32 bytes behind their length, among whatever else is random in the state.
    let random = |window: &&[u8]| window.iter().collect::<BTreeSet<_>>().len() > 22;
    let windows: Vec<_> = state.expose().windows(32).filter(random).collect();
    let seeds = state.expose().windows(33).filter(|window| window[0] == 32 && random(&&window[1..]));
    assert!(seeds.filter(|seed| !places(&before, &seed[1..]).is_empty()).count() >= 1, "control: the offline seed");
    for (what, secret) in &secrets {
        assert!(!places(&before, secret).is_empty(), "control: {what} is not found before the lock");
    }
    secrets.extend(windows.iter().map(|window| ("of the state", window.to_vec())));
    helper.say("lock");
    assert_eq!(helper.hear(), "locked");
    let after = helper.memory();
    let mut left = Vec::new();
    for (what, secret) in &secrets {
        left.extend(places(&after, secret).iter().map(|place| format!("{what}: {place}")));
    }
    assert!(left.is_empty(), "{} copies are left:\n{}", left.len(), left.join("\n"));
    // What this process keeps for its life has the form of a token too (its thumbprint), so sessions are compared: each has
    // tokens of its own, and none of them outlives its lock. What a connection last sent is in its buffers until the runtime
    // has closed it.
    let mut outlived = tokens(&after);
    for _ in 0..2 {
        helper.say("unlock");
        assert_eq!(helper.hear(), "open");
        let open = tokens(&helper.memory());
        let own: BTreeSet<_> = open.difference(&outlived).cloned().collect();
        assert!(own.len() >= 2, "control: the session's id and token are not found: {}", own.len());
        helper.say("lock");
        assert_eq!(helper.hear(), "locked");
        let mut left = own.clone();
        for _ in 0..100 {
            let now = tokens(&helper.memory());
            left = own.intersection(&now).cloned().collect();
            if left.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(left.is_empty(), "{} of {} tokens outlive their lock", left.len(), own.len());
        outlived = tokens(&helper.memory());
    }
}
