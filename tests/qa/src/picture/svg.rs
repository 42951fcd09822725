//! SVG from strangers: drawn by `resvg`, after it was made sure that drawing is cheap. Nothing outside of the file is read.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};
use resvg::usvg::{self, Group, ImageHrefResolver};
use resvg::{tiny_skia, usvg::Node as Drawn};

use super::grey::Layered;

/// No picture of a code has more bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Elements of the file, and of what it becomes once every `use` stands for what it names.
const MAX_ELEMENTS: u32 = 50_000;
/// Elements within elements.
const MAX_DEPTH: u32 = 200;
/// Pixels of the picture and of everything that is drawn apart first (opacity, clips, masks) at once.
const MAX_LAYER_PIXELS: u64 = 128 * 1024 * 1024;

/// Draws it, transparent where nothing is drawn.
pub(super) fn draw(bytes: &[u8], fits: impl Fn(u32, u32) -> Result<(), String>) -> Result<Layered, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("over {MAX_BYTES} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_ELEMENTS.saturating_mul(4), ..Default::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    bounded(&document)?;
    let tree = usvg::Tree::from_xmltree(&document, &nothing_outside()).map_err(|error| error.to_string())?;
    if !tree.filters().is_empty() || !tree.patterns().is_empty() {
        return Err("it has a filter or a pattern, which a code needs not".into());
    }
    let size = tree.size().to_int_size();
    fits(size.width(), size.height())?;
    let pixels = u64::from(size.width()).saturating_mul(size.height().into());
    let layers = u64::from(layers(tree.root(), 0)?).saturating_add(1);
    if pixels.saturating_mul(layers) > MAX_LAYER_PIXELS {
        return Err("it has too many layers for its size".into());
    }
    let mut canvas = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or("it has no size")?;
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut canvas.as_mut());
    Ok(Layered::of_rgba(size.width(), size.height(), canvas.data()))
}

/// Pictures in the picture are left out, wherever they are.
fn nothing_outside() -> usvg::Options<'static> {
    let image_href_resolver =
        ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
    usvg::Options { image_href_resolver, ..usvg::Options::default() }
}

/// Makes sure that the file is flat and small, also when everything that is named is put in the place of its name.
fn bounded(document: &Document<'_>) -> Result<(), String> {
    let mut depths = HashMap::new();
    let mut named = HashMap::new();
    for node in document.descendants() {
        let depth =
            node.parent().and_then(|parent| depths.get(&parent.id()).copied()).unwrap_or(0_u32).saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(format!("elements in elements, over {MAX_DEPTH} deep"));
        }
        depths.insert(node.id(), depth);
        if node.has_tag_name("marker") || node.tag_name().name() == "marker" {
            return Err("it has markers, which a code needs not".into());
        }
        if let Some(id) = node.attribute("id") {
            named.insert(id, node);
        }
    }
    let all = weight(document.root(), &named, &mut HashMap::new(), 0)?;
    if all > MAX_ELEMENTS { Err(format!("over {MAX_ELEMENTS} elements")) } else { Ok(()) }
}

/// Elements that a node becomes.
fn weight<'a>(
    node: Node<'a, 'a>,
    named: &HashMap<&'a str, Node<'a, 'a>>,
    known: &mut HashMap<u32, u32>,
    depth: u32,
) -> Result<u32, String> {
    if depth > MAX_DEPTH.saturating_mul(2) {
        return Err("what it names names itself".into());
    }
    let id = node.id().get();
    if let Some(weight) = known.get(&id) {
        return Ok(*weight);
    }
    let mut sum: u32 = u32::from(node.is_element());
    for child in node.children() {
        sum = sum.saturating_add(weight(child, named, known, depth.saturating_add(1))?);
    }
    if node.tag_name().name() == "use" {
        let href = node.attributes().find(|attribute| attribute.name() == "href").map(|attribute| attribute.value());
        let target = href.and_then(|href| href.strip_prefix('#')).and_then(|id| named.get(id));
        if let Some(target) = target {
            sum = sum.saturating_add(weight(*target, named, known, depth.saturating_add(1))?);
        }
    }
    known.insert(id, sum);
    Ok(sum)
}

/// The most layers that are drawn apart within one another.
fn layers(group: &Group, depth: u32) -> Result<u32, String> {
    if depth > MAX_DEPTH {
        return Err("layers in layers".into());
    }
    let below = depth.saturating_add(1);
    let mut most = 0;
    for child in group.children() {
        if let Drawn::Group(child) = child {
            most = most.max(layers(child, below)?);
        }
    }
    let mut own = u32::from(group.should_isolate());
    let mut clip = group.clip_path();
    while let Some(path) = clip {
        own = own.saturating_add(1).saturating_add(layers(path.root(), below)?);
        clip = path.clip_path();
    }
    let mut mask = group.mask();
    while let Some(around) = mask {
        own = own.saturating_add(1).saturating_add(layers(around.root(), below)?);
        mask = around.mask();
    }
    Ok(own.saturating_add(most))
}
