//! Who joins a group by the default interface hears what is sent to it.

use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

#[test]
fn members_hear() {
    let group = Ipv4Addr::new(239, 255, 71, 11);
    let member = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    // A machine without any network has no interface to choose.
    if let Err(error) = member.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED) {
        const ENODEV: i32 = 19;
        assert_eq!(error.raw_os_error(), Some(ENODEV));
        return;
    }
    member.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let sender = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let at = (group, member.local_addr().unwrap().port());
    sender.send_to(b"heard", at).unwrap();
    let mut bytes = [0; 16];
    let (length, from) = member.recv_from(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"heard");
    assert_eq!(from.port(), sender.local_addr().unwrap().port());
}

#[test]
fn groups_of_the_newer_protocol_can_be_joined() {
    let Ok(member) = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)) else { return };
    let group = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0x47, 0x11);
    // As above: some machines have no route for it.
    let _ = member.join_multicast_v6(&group, 0);
}
