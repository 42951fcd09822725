//! What rests on the device: the journal (truth) and the cache (sled), both sealed.
