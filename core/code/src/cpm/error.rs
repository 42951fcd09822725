//! What can be wrong with a payload, and where.

use crate::tlv::Tag;

/// Characters a payload may have.
pub const MAX_CHARS: usize = 512;

/// Where a payload breaks a rule, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at {at})")]
pub struct CpmError {
    /// Offset from 0: of the character for [`Problem::TooLong`] and [`Problem::Base64`], else of the decoded byte.
    pub at: usize,
    /// The rule.
    pub problem: Problem,
}

/// The rule a payload breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Over [`MAX_CHARS`].
    #[error("the payload has more than {MAX_CHARS} characters")]
    TooLong,
    /// A foreign character, a wrong length, missing or superfluous padding, bits set beyond the last byte.
    #[error("the payload is not Base64")]
    Base64,
    /// The payload is empty or begins with something else.
    #[error("the payload format indicator (85) does not come first")]
    FormatNotFirst,
    /// The indicator names another format.
    #[error("the payload format is neither CPV01 nor JPQR1")]
    UnknownFormat,
    /// 00 or more than three bytes: filler, or bytes after the end.
    #[error("there is no valid tag here")]
    BadTag,
    /// Indefinite, over 65,535, or not in its shortest form.
    #[error("the length is not valid")]
    BadLength,
    /// An object runs past the end of what holds it.
    #[error("the object runs past the end")]
    Truncated,
    /// An object that may stand once stands twice.
    #[error("object {0} is there twice")]
    Duplicate(Tag),
    /// An object stands both in the common template and in an application's.
    #[error("object {0} is in both templates")]
    InBothTemplates(Tag),
    /// An ADF name (4F) of fewer than 5 or more than 16 bytes.
    #[error("an ADF name has 5 to 16 bytes, not {0}")]
    AdfName(usize),
}
