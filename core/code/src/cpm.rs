//! The payload of a consumer-presented QR code: Base64 of BER-TLV, by the EMVCo QR Code Specification for Payment
//! Systems (Consumer-Presented Mode) and by JPQR, which share everything but the first object. A register reads any
//! wallet's payload with it; [`form`](crate::form) builds and finds Saifu's own.
//!
//! Strict on purpose: what is read can be written again byte for byte. Objects nobody here knows are kept and ignored.

pub(crate) mod error;

use std::fmt;

use data_encoding::BASE64;

use crate::tlv::{Reader, Tag, write};
pub use error::{CpmError, MAX_CHARS, Problem};

/// Bytes an ADF name may have (ISO/IEC 7816-4).
const ADF_NAME_LEN: std::ops::RangeInclusive<usize> = 5..=16;

/// The rule book a payload follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// EMVCo: the indicator is `CPV01`.
    EmvCo,
    /// JPQR: the indicator is `JPQR1`.
    Jpqr,
}

impl Scheme {
    fn indicator(self) -> &'static [u8] {
        match self {
            Self::EmvCo => b"CPV01",
            Self::Jpqr => b"JPQR1",
        }
    }
}

/// A primitive object, or a template whose inside is not this specification's business. `Debug` hides the value.
#[derive(Clone, PartialEq, Eq)]
pub struct DataObject {
    tag: Tag,
    value: Vec<u8>,
}

impl DataObject {
    pub(crate) fn new(tag: Tag, value: Vec<u8>) -> Self {
        Self { tag, value }
    }

    /// Its tag.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for DataObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.tag, self.value.len())
    }
}

/// An object at the top level, after the format indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopObject {
    /// 61: one payment application. They come in order of preference.
    Application(Vec<DataObject>),
    /// 62: what all applications have in common.
    Common(Vec<DataObject>),
    /// Anything else, kept as it came.
    Other(DataObject),
}

/// A whole payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    scheme: Scheme,
    objects: Vec<TopObject>,
}

impl Payload {
    /// One application and nothing else.
    pub(crate) fn of_application(scheme: Scheme, application: Vec<DataObject>) -> Self {
        Self { scheme, objects: vec![TopObject::Application(application)] }
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// The first rule broken, in reading order.
    pub fn decode(text: &str) -> Result<Self, CpmError> {
        if text.len() > MAX_CHARS {
            return Err(CpmError { at: MAX_CHARS, problem: Problem::TooLong });
        }
        let bytes = BASE64
            .decode(text.as_bytes())
            .map_err(|error| CpmError { at: error.position, problem: Problem::Base64 })?;
        let mut reader = Reader::new(&bytes, 0);
        let scheme = match reader.next()? {
            Some(first) if first.tag == Tag::FORMAT => [Scheme::EmvCo, Scheme::Jpqr]
                .into_iter()
                .find(|scheme| scheme.indicator() == first.value)
                .ok_or(CpmError { at: first.value_at, problem: Problem::UnknownFormat })?,
            _ => return Err(CpmError { at: 0, problem: Problem::FormatNotFirst }),
        };
        let objects = read_objects(&mut reader)?;
        Ok(Self { scheme, objects })
    }

    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = Vec::new();
        write(&mut out, Tag::FORMAT, self.scheme.indicator());
        for object in &self.objects {
            match object {
                TopObject::Application(inside) => write(&mut out, Tag::APPLICATION, &write_all(inside)),
                TopObject::Common(inside) => write(&mut out, Tag::COMMON, &write_all(inside)),
                TopObject::Other(object) => write(&mut out, object.tag, &object.value),
            }
        }
        BASE64.encode(&out)
    }

    /// The rule book it follows.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Everything after the format indicator, in order.
    #[must_use]
    pub fn objects(&self) -> &[TopObject] {
        &self.objects
    }

    /// The applications' objects, the preferred application first.
    pub fn applications(&self) -> impl Iterator<Item = &[DataObject]> {
        self.objects.iter().filter_map(|object| match object {
            TopObject::Application(inside) => Some(inside.as_slice()),
            _ => None,
        })
    }
}

fn write_all(objects: &[DataObject]) -> Vec<u8> {
    let mut out = Vec::new();
    for object in objects {
        write(&mut out, object.tag, &object.value);
    }
    out
}

/// Tags seen in templates of one sort, with where each stood.
type Seen = Vec<(Tag, usize)>;

fn read_objects(reader: &mut Reader<'_>) -> Result<Vec<TopObject>, CpmError> {
    let mut objects = Vec::new();
    let mut top: Seen = vec![(Tag::FORMAT, 0)];
    let (mut in_applications, mut in_common) = (Seen::new(), Seen::new());
    while let Some(object) = reader.next()? {
        let template = Reader::new(object.value, object.value_at);
        if object.tag == Tag::APPLICATION {
            let mut seen = Seen::new();
            objects.push(TopObject::Application(read_template(template, &mut seen)?));
            refuse_shared(&seen, &in_common)?;
            in_applications.append(&mut seen);
            continue;
        }
        note(&mut top, object.tag, object.at)?;
        if object.tag == Tag::COMMON {
            objects.push(TopObject::Common(read_template(template, &mut in_common)?));
            refuse_shared(&in_common, &in_applications)?;
        } else {
            objects.push(TopObject::Other(DataObject::new(object.tag, object.value.to_vec())));
        }
    }
    Ok(objects)
}

fn read_template(mut reader: Reader<'_>, seen: &mut Seen) -> Result<Vec<DataObject>, CpmError> {
    let mut inside = Vec::new();
    while let Some(object) = reader.next()? {
        note(seen, object.tag, object.at)?;
        if object.tag == Tag::ADF_NAME && !ADF_NAME_LEN.contains(&object.value.len()) {
            return Err(CpmError { at: object.at, problem: Problem::AdfName(object.value.len()) });
        }
        inside.push(DataObject::new(object.tag, object.value.to_vec()));
    }
    Ok(inside)
}

fn note(seen: &mut Seen, tag: Tag, at: usize) -> Result<(), CpmError> {
    if seen.iter().any(|(earlier, _)| *earlier == tag) {
        return Err(CpmError { at, problem: Problem::Duplicate(tag) });
    }
    seen.push((tag, at));
    Ok(())
}

fn refuse_shared(new: &Seen, others: &Seen) -> Result<(), CpmError> {
    match new.iter().find(|(tag, _)| others.iter().any(|(other, _)| other == tag)) {
        Some(&(tag, at)) => Err(CpmError { at, problem: Problem::InBothTemplates(tag) }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "cpm_tests.rs"]
mod tests;
