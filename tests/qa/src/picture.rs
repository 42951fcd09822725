//! Symbols as pictures, and pictures as symbols. Drawing is ours; reading is `rxing`'s (a port of ZXing) and, for SVG,
//! `resvg`'s, so that what we draw is never read by what drew it.

mod grey;
mod page;
mod read;
mod svg;
mod terminal;

pub use grey::Grey;
pub(crate) use page::in_groups;
pub use page::{Format, Page};
pub(crate) use read::THREAD;
pub use read::{Symbol, SymbolKind, read};
pub use terminal::{Cells, bars, square};
