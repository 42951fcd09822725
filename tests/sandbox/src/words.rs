//! Closed lists of words, each in one table: the enum, its words, parsing, JSON, and the columns that hold them.

macro_rules! words {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$word_doc])* #[serde(rename = $text)] $word,)* }

        #[allow(dead_code, reason = "every list has all of it")]
        impl $name {
            /// Every one.
            $vis const ALL: &[Self] = &[$(Self::$word,)*];
            /// Every one as it is written.
            $vis const WORDS: &[&str] = &[$($text,)*];

            /// As it is written.
            #[must_use]
            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                found.ok_or_else(|| format!("`{text}` is none of {}", Self::WORDS.join(", ")))
            }
        }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|error: String| rusqlite::types::FromSqlError::Other(error.into()))
            }
        }
    };
}
pub(crate) use words;
