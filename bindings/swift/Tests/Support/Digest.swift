import COpenSSL
import Foundation

/// SHA-256 (FIPS 180-4).
enum Digest {
    static func sha256(_ bytes: Data) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        precondition(EVP_Digest([UInt8](bytes), bytes.count, &digest, nil, EVP_sha256(), nil) == 1)
        return digest
    }
}
