//! Closures that the library calls by number.
//!
//! The library calls some callbacks for an unknown time, such as progress after a registration. It
//! gets a number in place of a pointer, so a call that comes after the closure is gone finds nothing,
//! and does no harm.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, PoisonError, RwLock};

/// The closures of one kind.
pub(crate) struct Registry<T: ?Sized + 'static> {
    entries: RwLock<Entries<T>>,
}

struct Entries<T: ?Sized> {
    last: usize,
    closures: BTreeMap<usize, Arc<T>>,
}

impl<T: ?Sized> Registry<T> {
    pub(crate) const fn new() -> Registry<T> {
        let entries = Entries { last: 0, closures: BTreeMap::new() };
        Registry { entries: RwLock::new(entries) }
    }

    /// Adds a closure, until the result is dropped.
    pub(crate) fn add(&'static self, closure: Arc<T>) -> Registration<T> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.last += 1;
        let number = entries.last;
        entries.closures.insert(number, closure);
        Registration { registry: self, number }
    }

    /// Returns the closure of a context, unless it is gone.
    pub(crate) fn find(&self, context: *mut c_void) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.closures.get(&context.addr()).cloned()
    }

    /// Returns the number of closures.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.read().unwrap().closures.len()
    }
}

/// A closure in a registry, removed when it is dropped.
pub(crate) struct Registration<T: ?Sized + 'static> {
    registry: &'static Registry<T>,
    number: usize,
}

impl<T: ?Sized> Registration<T> {
    /// Returns the number as a context for the library, which never reads through it.
    pub(crate) fn context(&self) -> *mut c_void {
        ptr::without_provenance_mut(self.number)
    }
}

impl<T: ?Sized> Drop for Registration<T> {
    fn drop(&mut self) {
        let mut entries = self.registry.entries.write().unwrap_or_else(PoisonError::into_inner);
        let closure = entries.closures.remove(&self.number);
        // The closure's own `drop` may use the registry.
        drop(entries);
        drop(closure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NUMBERS: Registry<dyn Fn() -> u32 + Send + Sync> = Registry::new();

    #[test]
    fn a_closure_is_found_until_its_registration_is_dropped() {
        let one = NUMBERS.add(Arc::new(|| 1));
        let two = NUMBERS.add(Arc::new(|| 2));
        let (first, second) = (one.context(), two.context());
        assert_eq!(NUMBERS.find(first).map(|closure| closure()), Some(1));
        assert_eq!(NUMBERS.find(second).map(|closure| closure()), Some(2));
        drop(one);
        assert!(NUMBERS.find(first).is_none());
        assert_eq!(NUMBERS.find(second).map(|closure| closure()), Some(2));
        drop(two);
        assert_eq!(NUMBERS.len(), 0);
    }
}
