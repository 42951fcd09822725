#if canImport(CryptoKit)
    import Foundation
    import Saifu

    /// The wallet's folder: in no backup, readable after the first unlock.
    func walletFolder() throws -> URL {
        let support = try FileManager.default.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        var folder = support.appendingPathComponent("saifu", isDirectory: true)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true,
            attributes: [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication])
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder
    }

    /// The app's one wallet. Opened once, at the start, and kept for as long as the process lives.
    func openWallet(_ config: Config) async throws -> Wallet {
        try await Wallet.open(keys: EnclaveKeys(), secrets: KeychainSecrets(), clock: PhoneClock(), config: config)
    }
#endif
