//! A sandbox that is killed (SIGKILL) at any moment leaves a folder that starts again, with everything it had answered.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use saifu_rig::{Issuer, Phone};
use saifu_sandbox::{InfoError, Options, Sandbox, SandboxInfo};
use tempfile::TempDir;

/// Says to this very test, run in another process, which folder to serve.
const FOLDER: &str = "SAIFU_TEST_FOLDER_TO_SERVE";

struct Killed(Child);

impl Killed {
    fn spawn(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "api::kills::killed_sandbox_starts_again_with_all_it_answered"]);
        command.env(FOLDER, folder).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn ready(info_file: &Path) -> SandboxInfo {
    let since = Instant::now();
    loop {
        match SandboxInfo::read(info_file) {
            Ok(info) => return info,
            Err(error) => assert!(since.elapsed() < Duration::from_secs(20), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_sandbox_starts_again_with_all_it_answered() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let _running = Sandbox::start(Options::new(folder)).await.unwrap();
        return std::future::pending().await;
    }
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("sandbox");
    let info_file = data.join("sandbox.json");
    // At the first start, when nothing is there yet and keys and tables are being made.
    for delay in [0, 5, 10, 20, 40, 80] {
        let child = Killed::spawn(&data);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        child.kill();
    }
    let mut phones = Vec::new();
    for round in 0..4_u64 {
        let child = Killed::spawn(&data);
        let info = ready(&info_file).await;
        let phone = Phone::sign_up(&info, &format!("090-6000-000{round}")).await;
        phone.cash_in(&info, 1_000).await;
        // Somebody is in the middle of something.
        let number = format!("090-6100-000{round}");
        let busy = tokio::spawn({
            let info = info.clone();
            async move { Phone::sign_up(&info, &number).await.binding }
        });
        tokio::time::sleep(Duration::from_millis(3 * round)).await;
        child.kill();
        busy.abort();
        let stale = SandboxInfo::read(&info_file);
        assert!(matches!(stale.err(), Some(InfoError::Stale { pid, .. }) if pid == info.pid));
        phones.push(phone);
    }
    let scene = Issuer::over(folder, |_| {}).await;
    for phone in &mut phones {
        phone.reopen(&scene.info).await;
        assert_eq!(phone.home().await.balance_yen.0, 1_000);
    }
    scene.assert_books_balance();
}
