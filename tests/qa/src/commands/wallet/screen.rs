//! The code on a terminal: drawn for a camera, counting down, replaced at its refresh, gone when it was paid. It uses the
//! alternate screen, so a code that can be spent does not stay in the scroll-back.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::Command;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, KeyCode, KeyModifiers};
use crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use saifu::{Event, EventBody, PaymentCode, Purpose};
use tokio::sync::mpsc;

use super::code::fresh;
use super::events::words;
use super::open::OpenWallet;
use crate::context::Context;
use crate::failure::Failure;
use crate::picture::{bars, in_groups, square};
use crate::printer::Printer;
use crate::report::Report;
use crate::words::shown;

/// How often keys are looked for, and how long leaving takes at most.
const KEY_POLL: Duration = Duration::from_millis(100);

pub(super) async fn show(open: &OpenWallet, context: &Context, purpose: Purpose) -> Result<Report, Failure> {
    let mut code = fresh(open, context, purpose).await?;
    let mut events = open.wallet.events();
    open.wallet.follow()?;
    let screen = Screen::enter(context.printer)?;
    let mut keys = Keys::read();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut note = String::new();
    screen.draw(&code)?;
    let told = loop {
        tokio::select! {
            _ = tick.tick() => {
                let now = open.wallet.issuer_time();
                if now >= code.refresh_at {
                    match fresh(open, context, purpose).await {
                        Ok(next) => code = next,
                        Err(failure) => break Some(failure.text()),
                    }
                    screen.draw(&code)?;
                }
                screen.status(code.refresh_at.since(now).div_ceil(1_000), &note)?;
            }
            event = events.next_event() => match event {
                Some(event) if ends(&event) => break Some(words(&event)),
                Some(event) => note = words(&event),
                None => break None,
            },
            () = keys.quit() => break None,
            _ = tokio::signal::ctrl_c() => break None,
        }
    };
    drop(screen);
    if let Some(told) = told {
        context.printer.text(&told)?;
    }
    Ok(Report::silent())
}

/// Once money moved, this code is spent.
fn ends(event: &Event) -> bool {
    matches!(event.body, EventBody::Entry { .. })
}

/// The alternate screen, left again however the command ends.
struct Screen {
    printer: Printer,
    raw: bool,
}

impl Screen {
    fn enter(printer: Printer) -> Result<Self, Failure> {
        let raw = std::io::stdin().is_terminal() && terminal::enable_raw_mode().is_ok();
        let screen = Self { printer, raw };
        screen.send(&[&ansi(&EnterAlternateScreen), &ansi(&Hide)])?;
        Ok(screen)
    }

    fn draw(&self, code: &PaymentCode) -> Result<(), Failure> {
        let colours = self.printer.colours();
        let (columns, rows) = self.printer.room();
        let (bars, square) = (bars(code.barcode()), square(code.qr()));
        // A blank line, the digits and the countdown.
        let tall = bars.rows().len().saturating_add(square.rows().len()).saturating_add(3);
        // The QR code is what must be whole.
        let top = if tall <= rows { format!("{}\n", bars.fitting(columns, colours)) } else { String::new() };
        let text = format!("{top}{}\n{}\n", square.text(colours), in_groups(code.digits()));
        self.send(&[&ansi(&MoveTo(0, 0)), &ansi(&Clear(ClearType::All)), &text.replace('\n', "\r\n")])
    }

    /// The line under the drawing.
    fn status(&self, seconds: u64, note: &str) -> Result<(), Failure> {
        self.send(&[
            "\r",
            &ansi(&Clear(ClearType::CurrentLine)),
            &format!("next code in {seconds} s, q ends  {}", shown(note)),
        ])
    }

    fn send(&self, parts: &[&str]) -> Result<(), Failure> {
        self.printer.raw(parts.concat().as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal is gone if these fail.
        let _ = self.send(&[&ansi(&Show), &ansi(&LeaveAlternateScreen)]);
        if self.raw {
            let _ = terminal::disable_raw_mode();
        }
    }
}

fn ansi(command: &impl Command) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = command.write_ansi(&mut out);
    out
}

/// A thread that waits for `q`, Escape or Ctrl-C. Without a keyboard it waits for nothing.
struct Keys {
    pressed: mpsc::Receiver<()>,
    stop: Arc<AtomicBool>,
}

impl Keys {
    fn read() -> Self {
        let (press, pressed) = mpsc::channel(1);
        let stop = Arc::new(AtomicBool::new(!std::io::stdin().is_terminal()));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if event::poll(KEY_POLL).unwrap_or(false) && event::read().is_ok_and(|event| is_quit(&event)) {
                    let _ = press.blocking_send(());
                    return;
                }
            }
        });
        Self { pressed, stop }
    }

    async fn quit(&mut self) {
        if self.pressed.recv().await.is_none() {
            std::future::pending().await
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn is_quit(event: &event::Event) -> bool {
    let event::Event::Key(key) = event else { return false };
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => true,
        KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}
