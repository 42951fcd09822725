import Foundation

/// A text that opens something: a code, a number, an address. Printed, dumped or reflected it is `…`, and so it is in every
/// record that has one; whoever needs it says so with `expose()`.
public struct Sensitive: Hashable, Sendable, Unprinted {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The text itself: to show it to its owner, never to log it.
    public func expose() -> String { text }
}

/// The same of bytes.
public struct SensitiveBytes: Hashable, Sendable, Unprinted {
    private let bytes: Data

    public init(_ bytes: Data) { self.bytes = bytes }

    /// The bytes themselves: to show what they are to their owner, never to log them.
    public func expose() -> Data { bytes }
}

/// What shows nothing of itself.
public protocol Unprinted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Unprinted {
    public var description: String { "…" }

    public var debugDescription: String { "…" }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
