//! Prints what a built library exports: every type, method, field and function, in an order that does not depend on the
//! build. `cargo xtask api` holds it against `bindings/api.txt`, so that nobody changes the interface without noticing.
//!
//! What matters to a caller is there, and nothing else: fields and variants stand in their order, which is part of how they
//! cross the FFI boundary; methods and functions stand by name.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use uniffi_bindgen::macro_metadata::extract_from_bytes;
use uniffi_meta::{FieldMetadata, FnParamMetadata, Metadata, ObjectImpl, Type, UniffiTraitMetadata};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("name a library that has its symbols")?;
    print!("{}", interface(extract_from_bytes(&std::fs::read(path)?)?));
    Ok(())
}

/// A type with its members, or the functions of no type.
#[derive(Default)]
struct Block {
    kind: &'static str,
    /// Ordered by place, then by text.
    members: Vec<(usize, String)>,
}

/// The whole interface as text. Its first line counts the types.
fn interface(items: Vec<Metadata>) -> String {
    let mut types: BTreeMap<String, Block> = BTreeMap::new();
    let mut functions = Vec::new();
    for item in items {
        let mut member = |of: &str, place: usize, line: String| {
            types.entry(of.to_owned()).or_default().members.push((place, line));
        };
        match item {
            Metadata::Func(f) => {
                functions.push(call(f.is_async, &f.name, &f.inputs, f.return_type.as_ref(), f.throws.as_ref()));
            }
            Metadata::Constructor(c) => {
                let line = call(c.is_async, &c.name, &c.inputs, None, c.throws.as_ref());
                member(&c.self_name, 0, format!("constructor {line}"));
            }
            Metadata::Method(m) => {
                let line = call(m.is_async, &m.name, &m.inputs, m.return_type.as_ref(), m.throws.as_ref());
                member(&m.self_name, 1, line);
            }
            Metadata::TraitMethod(m) => {
                let line = call(m.is_async, &m.name, &m.inputs, m.return_type.as_ref(), m.throws.as_ref());
                member(&m.trait_name, usize::try_from(m.index).unwrap_or(usize::MAX), line);
            }
            Metadata::UniffiTrait(t) => member(t.self_name(), 2, format!("impl {}", trait_name(&t))),
            Metadata::ObjectTraitImpl(t) => {
                member(t.ty.name().unwrap_or_default(), 2, format!("impl {}", name(&t.trait_ty)));
            }
            Metadata::Object(o) => {
                let kind = if matches!(o.imp, ObjectImpl::Struct) { "object" } else { "trait" };
                types.entry(o.name).or_default().kind = kind;
            }
            Metadata::CallbackInterface(c) => types.entry(c.name).or_default().kind = "trait of the shell",
            Metadata::CustomType(c) => {
                let block = types.entry(c.name).or_default();
                block.kind = "custom";
                block.members.push((0, name(&c.builtin)));
            }
            Metadata::Record(r) => {
                let block = types.entry(r.name).or_default();
                block.kind = "record";
                block.members.extend(r.fields.iter().map(field).enumerate());
            }
            Metadata::Enum(e) => {
                let block = types.entry(e.name).or_default();
                block.kind = if e.shape.is_error() { "error" } else { "enum" };
                let variants = e.variants.iter().map(|variant| {
                    let fields: Vec<_> = variant.fields.iter().map(field).collect();
                    if fields.is_empty() {
                        variant.name.clone()
                    } else {
                        format!("{}({})", variant.name, fields.join(", "))
                    }
                });
                block.members.extend(variants.enumerate());
            }
            Metadata::Namespace(_) | Metadata::UdlFile(_) => {}
        }
    }
    let mut text = format!("{} types\n", types.len());
    for (name, mut block) in types {
        block.members.sort();
        let _ = write!(text, "\n{} {name}\n", block.kind);
        for (_, line) in block.members {
            let _ = writeln!(text, "  {line}");
        }
    }
    functions.sort();
    text.push_str("\nfunctions\n");
    for line in functions {
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn call(is_async: bool, of: &str, inputs: &[FnParamMetadata], gives: Option<&Type>, throws: Option<&Type>) -> String {
    let inputs: Vec<_> = inputs.iter().map(|input| format!("{}: {}", input.name, name(&input.ty))).collect();
    let mut line = format!("{}{of}({})", if is_async { "async " } else { "" }, inputs.join(", "));
    if let Some(gives) = gives {
        let _ = write!(line, " -> {}", name(gives));
    }
    if let Some(throws) = throws {
        let _ = write!(line, " throws {}", name(throws));
    }
    line
}

fn field(field: &FieldMetadata) -> String {
    let default = if field.default.is_some() { " (has a default)" } else { "" };
    format!("{}: {}{default}", field.name, name(&field.ty))
}

fn trait_name(of: &UniffiTraitMetadata) -> &'static str {
    match of {
        UniffiTraitMetadata::Debug { .. } => "Debug",
        UniffiTraitMetadata::Display { .. } => "Display",
        UniffiTraitMetadata::Eq { .. } => "Eq",
        UniffiTraitMetadata::Hash { .. } => "Hash",
        UniffiTraitMetadata::Ord { .. } => "Ord",
    }
}

fn name(of: &Type) -> String {
    match of {
        Type::UInt8 => "u8".to_owned(),
        Type::Int8 => "i8".to_owned(),
        Type::UInt16 => "u16".to_owned(),
        Type::Int16 => "i16".to_owned(),
        Type::UInt32 => "u32".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::UInt64 => "u64".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Float32 => "f32".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::String => "string".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::Timestamp => "timestamp".to_owned(),
        Type::Duration => "duration".to_owned(),
        Type::Box { inner_type } => name(inner_type),
        Type::Optional { inner_type } => format!("{}?", name(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", name(inner_type)),
        Type::Set { inner_type } => format!("set of {}", name(inner_type)),
        Type::Map { key_type, value_type } => format!("[{}: {}]", name(key_type), name(value_type)),
        Type::Object { name, .. }
        | Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::CallbackInterface { name, .. }
        | Type::Custom { name, .. } => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use uniffi_meta::{EnumMetadata, EnumShape, MethodMetadata, ObjectMetadata, VariantMetadata};

    use super::*;

    fn object() -> Metadata {
        Metadata::Object(ObjectMetadata {
            module_path: "m".into(),
            name: "Wallet".into(),
            orig_name: None,
            remote: false,
            imp: ObjectImpl::Struct,
            docstring: None,
        })
    }

    fn method(name: &str, gives: Type) -> Metadata {
        Metadata::Method(MethodMetadata {
            module_path: "m".into(),
            self_name: "Wallet".into(),
            name: name.into(),
            orig_name: None,
            is_async: true,
            inputs: vec![FnParamMetadata::simple("limit", Type::UInt32)],
            return_type: Some(gives),
            throws: Some(Type::Enum { module_path: "m".into(), name: "WalletError".into() }),
            takes_self_by_arc: false,
            checksum: None,
            docstring: None,
        })
    }

    fn error(variants: &[&str]) -> Metadata {
        let variant = |name: &&str| VariantMetadata {
            name: (*name).to_owned(),
            orig_name: None,
            discr: None,
            fields: Vec::new(),
            docstring: None,
        };
        Metadata::Enum(EnumMetadata {
            module_path: "m".into(),
            name: "WalletError".into(),
            orig_name: None,
            shape: EnumShape::Error { flat: false },
            remote: false,
            variants: variants.iter().map(variant).collect(),
            discr_type: None,
            non_exhaustive: false,
            docstring: None,
        })
    }

    #[test]
    fn the_text_depends_on_the_interface_and_not_on_the_order_of_its_symbols() {
        let items = || vec![object(), method("a", Type::Bytes), method("b", Type::String), error(&["Two", "One"])];
        let mut turned = items();
        turned.reverse();
        assert_eq!(interface(items()), interface(turned));
        assert_eq!(
            interface(items()),
            "2 types\n\nobject Wallet\n  async a(limit: u32) -> bytes throws WalletError\n  \
             async b(limit: u32) -> string throws WalletError\n\nerror WalletError\n  Two\n  One\n\nfunctions\n"
        );
    }

    #[test]
    fn a_changed_type_and_a_changed_order_of_variants_show() {
        let text = |gives, variants: &[&str]| interface(vec![object(), method("a", gives), error(variants)]);
        let before = text(Type::Bytes, &["One", "Two"]);
        assert_ne!(before, text(Type::String, &["One", "Two"]));
        assert_ne!(before, text(Type::Optional { inner_type: Box::new(Type::Bytes) }, &["One", "Two"]));
        assert_ne!(before, text(Type::Bytes, &["Two", "One"]));
    }
}
