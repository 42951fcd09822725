//! Decisions without I/O: retry, throttle and trusted time.
