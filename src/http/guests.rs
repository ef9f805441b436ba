//! How many connections each address holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::settings::Settings;
use crate::config::Networks;

/// The addresses that hold connections.
#[derive(Debug)]
pub(crate) struct Guests {
    max: usize,
    trusted: Networks,
    present: Arc<Present>,
}

#[derive(Debug, Default)]
struct Present(Mutex<HashMap<IpAddr, usize>>);

/// One connection of an address; it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    address: IpAddr,
    present: Arc<Present>,
}

impl Guests {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            max: settings.connections_per_address_max,
            trusted: settings.trusted_proxies.clone(),
            present: Arc::default(),
        }
    }

    /// A further connection of an address; `None` when it holds as many as it may. Trusted proxies
    /// bring many callers, and hold as many as the server does.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Guest> {
        let mut present = self.present.lock();
        let count = present.entry(address).or_insert(0);
        if *count >= self.max && !self.trusted.hold(address) {
            return None;
        }
        *count += 1;
        let present = Arc::clone(&self.present);
        Some(Guest { address, present })
    }
}

impl Present {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    pub(crate) const fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut present = self.present.lock();
        if let Some(count) = present.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                present.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Setting;

    #[test]
    fn an_address_holds_so_many_connections_and_a_trusted_proxy_any_number() {
        let settings = Settings {
            connections_per_address_max: 2,
            trusted_proxies: Networks::from_text("10.0.0.1").expect("networks"),
            ..Settings::default()
        };
        let guests = Guests::new(&settings);
        let one: IpAddr = "192.0.2.1".parse().expect("an address");
        let held = [guests.enter(one), guests.enter(one)];
        assert!(held.iter().all(Option::is_some) && guests.enter(one).is_none());
        let proxy: IpAddr = "10.0.0.1".parse().expect("an address");
        let many: Vec<_> = (0..5).map(|_| guests.enter(proxy)).collect();
        assert!(many.iter().all(Option::is_some));
        drop((held, many));
        assert!(guests.enter(one).is_some());
        assert!(guests.present.lock().is_empty(), "nobody is remembered");
    }
}
