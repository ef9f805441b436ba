//! Where a request comes from, and whether that will do for who asks.

use std::net::IpAddr;

use axum::http::HeaderName;

use super::app::App;
use super::code::Code;
use super::error::Problem;
use super::peer::{Head, Peer};
use crate::config::Networks;
use crate::keys::Role;
use crate::tls::{Parties, Party};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the caller: the connection's, or the one that trusted proxies name. `None` when
/// a trusted proxy names nothing that is an address.
pub(crate) fn caller(head: Head<'_>, trusted: &Networks) -> Option<IpAddr> {
    let mut caller = head.peer?.address();
    if !trusted.hold(caller) {
        return Some(caller);
    }
    // Each proxy adds who asked it at the end: from there on back, the first one that is no
    // trusted proxy is the caller. What stands before that, anybody may have written.
    let lines = head.headers.get_all(FORWARDED_FOR).iter().rev();
    for line in lines {
        for hop in line.to_str().ok()?.rsplit(',') {
            caller = hop.trim().parse().ok()?;
            if !trusted.hold(caller) {
                return Some(caller);
            }
        }
    }
    Some(caller)
}

const fn party_of(role: Role) -> Party {
    match role {
        Role::Coordinator => Party::Coordinator,
        Role::Operator => Party::Operator,
        Role::Auditor => Party::Auditor,
    }
}

/// Refuses who should have shown a certificate and did not.
pub(crate) fn identify(app: &App, head: Head<'_>, party: Party) -> Result<(), Problem> {
    let shown = head.peer.map_or(Parties::NONE, Peer::named);
    if app.settings.client_roles.hold(party) && !shown.hold(party) {
        return Err(Problem::new(Code::CertificateRequired));
    }
    Ok(())
}

/// Refuses a role without its certificate, and a coordinator that asks from elsewhere than its
/// networks, where some are configured.
pub(crate) fn allow(app: &App, head: Head<'_>, role: Role) -> Result<(), Problem> {
    identify(app, head, party_of(role))?;
    let networks = &app.settings.coordinator_networks;
    if role != Role::Coordinator || networks.is_empty() {
        return Ok(());
    }
    match caller(head, &app.settings.trusted_proxies) {
        Some(address) if networks.hold(address) => Ok(()),
        _ => Err(Problem::new(Code::AddressNotAllowed)),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};
    use tokio::sync::watch;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::config::Setting;
    use crate::http::guests::Guests;
    use crate::http::peer::House;
    use crate::http::settings::Settings;

    fn seen(peer: &str, lines: &[&'static str]) -> String {
        let house = House {
            stopping: watch::channel(false).1,
            tasks: TaskTracker::new(),
        };
        let guests = Guests::new(&Settings::default());
        let guest = guests.enter(peer.parse().expect("an address"));
        let peer = Peer::new(guest.expect("there is room"), Parties::NONE, house);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let head = Head {
            headers: &headers,
            peer: Some(&peer),
        };
        let trusted = Networks::from_text("10.0.0.0/8").expect("networks");
        caller(head, &trusted).map_or_else(|| String::from("none"), |found| found.to_string())
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(seen("192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        let forged = "203.0.113.9, 198.51.100.1, 10.0.0.2";
        assert_eq!(seen("10.0.0.1", &[forged]), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", &["203.0.113.9", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3"]), "10.0.0.3");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, unknown"]), "none");
    }
}
