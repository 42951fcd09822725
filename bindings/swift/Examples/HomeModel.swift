import Foundation
import Observation
import Saifu

/// What the home screen shows. A SwiftUI view runs it with `.task { await model.run() }`.
@MainActor @Observable public final class HomeModel {
    public private(set) var home: HomeScreen?
    /// What is to be told of what should not have failed.
    public private(set) var trouble: Trouble?
    private let wallet: Wallet

    public init(_ wallet: Wallet) { self.wallet = wallet }

    /// Shows what is known at once, then what happens, until the screen goes away.
    public func run() async {
        do {
            let (events, followings) = (try wallet.events(), try wallet.followings())
            home = try wallet.home()
            if home?.state == .ready { try wallet.follow() }
            async let standing: Void = show(at: followings)
            try await show(at: events)
            try await standing
        } catch {
            trouble = Trouble(error)
        }
    }

    private func show(at hints: AsyncStream<some Sendable>) async throws {
        for await _ in hints { home = try wallet.home() }
    }

    /// What stands above the figures, if something is in the way.
    public var banner: String? {
        guard let home, home.state == .ready else { return home?.wayOut }
        if case .waiting = home.following { return "No connection. These are the figures of before." }
        return nil
    }
}

/// A failure as a screen tells it.
public struct Trouble: Equatable, Sendable {
    public let sentence: String
    /// What the user can do next.
    public let next: String

    /// Nothing to tell of a call that was given up: the screen it was for has gone.
    public init?(_ error: any Error) {
        switch error {
        case WalletError.Cancelled, is CancellationError: return nil
        case let error as WalletError: (sentence, next) = (error.info.sentence, error.info.next)
        default: (sentence, next) = ("Something failed that should not.", "Try again.")
        }
    }
}
