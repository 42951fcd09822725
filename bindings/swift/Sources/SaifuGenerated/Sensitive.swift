/// A text that opens something: a code, a number, an address. Printed, dumped or reflected it is `…`, and so it is in every
/// record that has one; whoever needs it says so with `expose()`.
public struct Sensitive: Hashable, Sendable {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The text itself: to show it to its owner, never to log it.
    public func expose() -> String { text }
}

extension Sensitive: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "…" }

    public var debugDescription: String { "…" }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
