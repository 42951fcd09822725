//! Symbols as pictures, and pictures as symbols. Drawing is ours; reading is `rxing`'s (a port of ZXing) and, for SVG,
//! `resvg`'s, so that what we draw is never read by what drew it.

mod page;
mod read;
mod terminal;

pub(crate) use page::in_groups;
pub use page::{Format, Page};
pub use read::{Symbol, SymbolKind, read};
pub use terminal::{Cells, bars, square};
