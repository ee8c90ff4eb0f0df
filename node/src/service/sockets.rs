//! What the node serves leaves at once.
//!
//! The SDK's RPC server leaves Nagle's algorithm on: an answer is held back while the client has not acknowledged the one before, so that of
//! questions which are asked together all but the first are answered a round trip later, or a delayed acknowledgement (40 ms) where the
//! client is near. Sockets inherit the option from the one that listens, at least on Linux, and the server does not show that one.

use nix::sys::socket::{
    setsockopt,
    sockopt::{AcceptConn, TcpNoDelay},
};
use std::{
    fs, io,
    os::fd::{BorrowedFd, RawFd},
};

/// Has whatever connects to this process from now on be answered without delay. Called when all servers listen.
///
/// Errors: the process cannot list what it has open.
pub(super) fn answer_at_once() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) {
            send_at_once(number);
        }
    }
    Ok(())
}

/// Turns Nagle's algorithm off for `number`, if that is a TCP socket that listens.
fn send_at_once(number: RawFd) {
    // SAFETY: it is borrowed for two system calls that look at, and change, an option of a socket. Should it be closed meanwhile, they
    // fail or concern another socket that listens, for which this holds as well; no memory is touched.
    #[allow(unsafe_code)]
    let socket = unsafe { BorrowedFd::borrow_raw(number) };
    let listens = nix::sys::socket::getsockopt(&socket, AcceptConn).unwrap_or(false);
    if listens {
        // Others than TCP do not know the option.
        let _ = setsockopt(&socket, TcpNoDelay, &true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::{Ipv4Addr, TcpListener, TcpStream},
        os::fd::AsFd,
    };

    fn leaves_at_once(socket: &impl AsFd) -> bool {
        nix::sys::socket::getsockopt(&socket.as_fd(), TcpNoDelay).expect("it is a TCP socket")
    }

    #[test]
    fn what_is_accepted_from_now_on_answers_at_once() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let connect = || {
            let client = TcpStream::connect(listener.local_addr().expect("it listens")).expect("it listens");
            (client, listener.accept().expect("somebody connects").0)
        };
        let (before, accepted) = connect();
        assert!(!leaves_at_once(&accepted));
        answer_at_once().expect("open files are listed");
        assert!(leaves_at_once(&connect().1));
        assert!(!leaves_at_once(&before), "what does not listen is left alone");
    }
}
