//! Locks around tables.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A poisoned lock means that a thread panicked while it only inserted into a table: the table is still good.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
