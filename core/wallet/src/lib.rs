//! The wallet a shell holds: sign-up, balance, top-up, payment codes, history, events.
