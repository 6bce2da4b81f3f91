//! A wire between `lockkeeper` and the server that can be cut, and that can fall silent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The message with which COMMIT is sent, and nothing else.
pub const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// What is done when a message is seen on its way to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The wire is cut, and the server never sees it.
    CutBefore,
    /// The server gets it, and the wire is cut before the answer.
    CutAfter,
    /// The server gets it, and its answer never arrives.
    HoldAnswer,
    /// The server gets it. From then on nothing gets through on any wire that there is, and neither end learns of the other's; new ones work.
    Silence,
}

/// The proxy. It ends with the process.
pub struct Proxy {
    pub port: u16,
    orders: Arc<Orders>,
}

struct Orders {
    server: Mutex<PathBuf>,
    wanted: Mutex<Option<(Vec<u8>, Deed)>>,
    done: AtomicBool,
    count: AtomicU64,
    /// Wires of a lower number are silent.
    silent_below: AtomicU64,
}

/// One connection: both ends, and whether answers still get through.
struct Wire {
    number: u64,
    client: TcpStream,
    server: UnixStream,
    mute: AtomicBool,
    orders: Arc<Orders>,
}

impl Proxy {
    /// Listens on a port of its own, for the server whose socket is in this folder.
    pub fn to(folder: &std::path::Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it has one").port();
        let orders = Arc::new(Orders {
            server: Mutex::new(folder.join(".s.PGSQL.5432")),
            wanted: Mutex::new(None),
            done: AtomicBool::new(false),
            count: AtomicU64::new(0),
            silent_below: AtomicU64::new(0),
        });
        let shared = Arc::clone(&orders);
        thread::spawn(move || listener.incoming().flatten().for_each(|client| connect(client, &shared)));
        Self { port, orders }
    }

    /// What is to happen when this is sent the next time.
    pub fn when(&self, message: &[u8], deed: Deed) {
        *self.orders.wanted.lock().expect("nobody panics with it") = Some((message.to_owned(), deed));
        self.orders.done.store(false, Ordering::SeqCst);
    }

    /// Whether it has happened.
    pub fn has_happened(&self) -> bool {
        self.orders.done.load(Ordering::SeqCst)
    }

    /// From now on, new wires lead to another server.
    pub fn lead_to(&self, folder: &std::path::Path) {
        *self.orders.server.lock().expect("nobody panics with it") = folder.join(".s.PGSQL.5432");
    }
}

fn connect(client: TcpStream, orders: &Arc<Orders>) {
    let path = orders.server.lock().expect("nobody panics with it").clone();
    // A server that is down: the client sees its connection end.
    let Ok(server) = UnixStream::connect(path) else { return };
    let _ = client.set_nodelay(true);
    let number = orders.count.fetch_add(1, Ordering::SeqCst);
    let wire = Arc::new(Wire { number, client, server, mute: AtomicBool::new(false), orders: Arc::clone(orders) });
    let other = Arc::clone(&wire);
    thread::spawn(move || wire.questions());
    thread::spawn(move || other.answers());
}

impl Wire {
    fn is_silent(&self) -> bool {
        self.number < self.orders.silent_below.load(Ordering::SeqCst)
    }

    fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn questions(&self) {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = (&self.client).read(&mut buffer) {
            let deed = self.deed(&buffer[..length]);
            if deed == Some(Deed::CutBefore) {
                self.orders.done.store(true, Ordering::SeqCst);
                break;
            }
            if matches!(deed, Some(Deed::HoldAnswer | Deed::CutAfter)) {
                self.mute.store(true, Ordering::SeqCst);
            }
            if !self.is_silent() && (&self.server).write_all(&buffer[..length]).is_err() {
                break;
            }
            match deed {
                Some(Deed::Silence) => {
                    self.orders.silent_below.store(self.orders.count.load(Ordering::SeqCst), Ordering::SeqCst);
                    self.orders.done.store(true, Ordering::SeqCst);
                }
                // The server's answer is the sign that it has done it; see `answers`.
                Some(Deed::HoldAnswer | Deed::CutAfter | Deed::CutBefore) | None => {}
            }
        }
        if !self.is_silent() {
            self.cut();
        }
    }

    fn answers(&self) {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = (&self.server).read(&mut buffer) {
            if self.mute.load(Ordering::SeqCst) {
                self.orders.done.store(true, Ordering::SeqCst);
                let cut = matches!(*self.orders.wanted.lock().expect("nobody panics with it"), Some((_, Deed::CutAfter)));
                if cut {
                    break;
                }
            } else if !self.is_silent() && (&self.client).write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        if !self.is_silent() {
            self.cut();
        }
    }

    /// What is to be done because of a message; once.
    fn deed(&self, message: &[u8]) -> Option<Deed> {
        if self.orders.done.load(Ordering::SeqCst) {
            return None;
        }
        let wanted = self.orders.wanted.lock().expect("nobody panics with it");
        let (words, deed) = wanted.as_ref()?;
        message.windows(words.len()).any(|part| part == words).then_some(*deed)
    }
}
