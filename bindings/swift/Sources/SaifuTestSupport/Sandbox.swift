import Foundation
import Saifu

/// Whom a wallet talks to, as `saifu sandbox` writes it into `sandbox.json`: keys and pins in base64.
public struct Sandbox: Sendable, Codable {
    let customerUrl: String
    let serviceUrl: String
    let caPem: String?
    let pins: [Data]
    let servicePins: [Data]
    let serviceKey: Data

    /// The one that `file`, a `sandbox.json`, tells of.
    public init(file: URL) throws { try self.init(Data(contentsOf: file)) }

    /// The one that stands in such a file.
    public init(_ json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Sandbox.self, from: json)
    }

    /// For the wallet in `folder`.
    public func config(folder: URL, appVersion: String = "test") -> Config {
        Config(
            folder: folder.path, appVersion: appVersion, customerUrl: customerUrl, serviceUrl: serviceUrl,
            caPem: caPem, pins: pins, servicePins: servicePins,
            serviceKey: serviceKey, sandbox: true)
    }
}
