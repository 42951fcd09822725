//! Words that the issuer may add to within `/v1`. Answers and events carry an [`Open`] word, so that one this version does not
//! know is kept and said, and costs nothing around it. Requests, and the issuer's own rules, use the closed lists.

use serde::de::Error as _;

use crate::Name;

/// One of a closed list of words, each with a stable name.
pub trait Word: Copy + 'static {
    /// The whole list.
    const ALL: &'static [Self];

    /// The stable name.
    fn as_str(self) -> &'static str;
}

/// Names each variant once: [`Word`], and the same without the trait in scope.
macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal,)* })*) => { $(
        impl $type {
            /// The whole list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl $crate::Word for $type {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    )* };
}
pub(crate) use words;

/// A word in an answer or event: of the list `T`, or one that a later version of the API has added to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Open<T> {
    /// A word of the list.
    Known(T),
    /// Another one, as it came. It is a [`Name`], so it can be shown and logged.
    Other(Name),
}

impl<T: Word> Open<T> {
    /// The word, if this version knows it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Other(_) => None,
        }
    }

    /// The word as the issuer wrote it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(word) => word.as_str(),
            Self::Other(word) => word.as_str(),
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: PartialEq> PartialEq<T> for Open<T> {
    fn eq(&self, other: &T) -> bool {
        matches!(self, Self::Known(word) if word == other)
    }
}

impl<T: Word> std::fmt::Display for Open<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl<T: Word> serde::Serialize for Open<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: Word> serde::Deserialize<'de> for Open<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match T::ALL.iter().find(|word| word.as_str() == text) {
            Some(word) => Ok(Self::Known(*word)),
            None => Name::new(text).map(Self::Other).map_err(D::Error::custom),
        }
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::ToSchema;
    use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
    use utoipa::openapi::{Ref, RefOr, Schema};

    use super::Open;

    // What utoipa's derive would make of an untagged enum; the trait is hidden, but the only way to a generic schema.
    impl<T: ToSchema> utoipa::__dev::ComposeSchema for Open<T> {
        fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
            let other = ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[A-Za-z0-9._-]{1,64}$"))
                .description(Some("A word that a later version has added."));
            Schema::AnyOf(AnyOfBuilder::new().item(Ref::from_schema_name(T::name())).item(other).build()).into()
        }
    }

    impl<T: ToSchema> ToSchema for Open<T> {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((T::name().into_owned(), T::schema()));
            T::schemas(schemas);
        }
    }
}

/// What may come in another form one day, and is not what the rest hangs on: absent then.
pub(crate) fn if_it_fits<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    // A format that does not describe itself has no other form to tell.
    if !deserializer.is_human_readable() {
        return serde::Deserialize::deserialize(deserializer);
    }
    let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;
    use crate::messages::{Channel, EntryKind, EntryState, NoticeKind, QrForm, Resolved, Standing, Switch, TopUpState};

    fn agrees<T: Word + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned>() {
        for word in T::ALL {
            let json = serde_json::to_string(word).unwrap();
            assert_eq!(json, format!("\"{}\"", word.as_str()));
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *word);
            assert_eq!(serde_json::from_str::<Open<T>>(&json).unwrap(), *word);
            assert_eq!(serde_json::to_string(&Open::Known(*word)).unwrap(), json);
        }
        let tomorrow = "\"word-of-tomorrow\"";
        assert!(serde_json::from_str::<T>(tomorrow).is_err());
        let open: Open<T> = serde_json::from_str(tomorrow).unwrap();
        assert_eq!((open.known(), open.as_str()), (None, "word-of-tomorrow"));
        assert_eq!(serde_json::to_string(&open).unwrap(), tomorrow);
    }

    #[test]
    fn closed_lists_refuse_the_word_that_open_ones_keep() {
        agrees::<Channel>();
        agrees::<EntryKind>();
        agrees::<EntryState>();
        agrees::<NoticeKind>();
        agrees::<QrForm>();
        agrees::<Reason>();
        agrees::<Resolved>();
        agrees::<Standing>();
        agrees::<Switch>();
        agrees::<TopUpState>();
    }

    #[test]
    fn what_is_no_short_name_is_no_word() {
        for bad in ["\"\"", "\"two words\"", "\"a\\nb\"", "7", "null", "{}", &format!("\"{}\"", "x".repeat(65))] {
            assert!(serde_json::from_str::<Open<Channel>>(bad).is_err(), "{bad}");
        }
    }
}
