import Foundation

/// A value that several threads change. The lock is held for the change alone.
public final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    public init(_ value: Value) { self.value = value }

    @discardableResult
    public func with<Result>(_ change: (inout Value) throws -> Result) rethrows -> Result {
        try lock.withLock { try change(&value) }
    }

    /// A copy of it.
    public var now: Value { with { $0 } }
}
