/// What a host's clocks show at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, milliseconds since 1970-01-01T00:00:00Z. The owner can set it to anything.
    pub wall_ms: u64,
    /// Milliseconds since the device started, *including sleep* (Android `elapsedRealtime`, iOS `mach_continuous_time`,
    /// Linux `CLOCK_BOOTTIME`).
    pub elapsed_ms: u64,
    /// Changes with every start of the device; elapsed times of different boots do not compare.
    pub boot_id: [u8; 16],
}

/// The host's clocks, and the core's only source of time.
///
/// An implementation MUST read all three at once, never let `elapsed_ms` fall within one boot, and never block.
pub trait Clock: Send + Sync {
    /// What the clocks show now.
    fn read(&self) -> Reading;
}
