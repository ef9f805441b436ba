//! A long history in the sample pool's proportions: 17,280 heartbeats for each 3,081 events taken
//! in, of which two thirds are jobs, an eighth received jobs, a fifth connections.

use purser_commands::intake::{Element, FileName, Processed, Says, TakeFile};
use purser_commands::{Command, Execution, execute};
use purser_events::intake::{EventId, Fee, FileStamps, RequestId};
use purser_events::policy::NodeType;
use purser_events::{Address, Event, Micros, Seconds};
use purser_projections::Books;

use super::pool::{Dice, beat, label, register};

/// Workers of the pool, and payees of its jobs.
pub(crate) const WORKERS: u64 = 100_000;

const PAYEES: u64 = 1_000;
const ELEMENTS: usize = 20;
/// Heartbeats between two files, so that the sample's proportions come out.
const BEATS: usize = 112;

/// Makes events without end, by real decisions.
pub(crate) struct History {
    books: Books,
    dice: Dice,
    files: u64,
    open: Vec<(u64, String)>,
}

impl History {
    /// A pool whose workers are about to register.
    pub(crate) fn new() -> Self {
        Self {
            books: Books::default(),
            dice: Dice(7),
            files: 0,
            open: Vec::new(),
        }
    }

    /// The first events: rules, partitions, workers.
    pub(crate) fn beginning(&mut self, into: &mut Vec<Event>) {
        for region in ["eu-central", "us-central"] {
            for node_type in [NodeType::Ai, NodeType::Transcode] {
                let region = label(region);
                let declare = purser_commands::command::DeclarePartition { node_type, region };
                self.run(&Command::DeclarePartition(declare), into);
            }
        }
        for number in 0..WORKERS {
            self.run(&register(number), into);
        }
    }

    /// At least `count` further events.
    pub(crate) fn more(&mut self, count: usize, into: &mut Vec<Event>) {
        let until = into.len() + count;
        while into.len() < until {
            for _ in 0..BEATS {
                let worker = self.dice.below(WORKERS);
                let command = beat(worker, &mut self.dice);
                self.run(&command, into);
            }
            let file = self.file();
            self.run(&Command::TakeFile(Box::new(file)), into);
        }
        // What was seen before is not asked for: every id is new.
        drop(self.books.recalled.take_recent(1 << 12));
    }

    fn run(&mut self, command: &Command, into: &mut Vec<Event>) {
        let at = Micros(1_762_300_800_000_000 + self.books.projections.position.0 * 150);
        let mut run = Execution {
            books: &mut self.books,
            at,
            events: into,
        };
        execute(&mut run, command).expect("the pool does nothing that is refused");
    }

    fn file(&mut self) -> TakeFile {
        self.files += 1;
        let is_ai = self.files.is_multiple_of(5);
        let region = if self.files.is_multiple_of(2) {
            "eu-central"
        } else {
            "us-central"
        };
        let node_type = if is_ai {
            NodeType::Ai
        } else {
            NodeType::Transcode
        };
        let stamps = FileStamps {
            start: 20_251_105_000_000 + self.files,
            end: 20_251_105_000_059 + self.files,
        };
        let mut content = [0; 32];
        content[..8].copy_from_slice(&self.files.to_le_bytes());
        let elements = (0..ELEMENTS).map(|_| self.element(is_ai)).collect();
        TakeFile {
            key: label(&format!(
                "{region}/{}/{}.json",
                node_type.as_str(),
                self.files
            )),
            name: Some(FileName {
                node_type,
                region: label(region),
                stamps,
            }),
            content,
            etag: Some(label(&format!("{:032x}", self.dice.next()))),
            bytes: 9_000,
            elements: Ok(elements),
        }
    }

    fn element(&mut self, is_ai: bool) -> Element {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.dice.next().to_le_bytes());
        id[8..].copy_from_slice(&self.dice.next().to_le_bytes());
        let occurred_at =
            Seconds(1_762_300_800 + (self.files * 3) as i64 + self.dice.below(60) as i64);
        Element::Event {
            id: EventId::Uuid(id),
            occurred_at,
            says: self.says(is_ai),
        }
    }

    fn says(&mut self, is_ai: bool) -> Says {
        let payee = self.dice.below(PAYEES);
        match self.dice.below(100) {
            0..65 => Says::Processed(Box::new(self.job(is_ai, payee))),
            65..78 if is_ai => Says::Received {
                request: Some(self.request()),
                worker: Some(address(payee)),
            },
            _ if self.open.len() < 600 || self.dice.below(10) < 5 => {
                let connection = format!(
                    "10.1.{}.{}:{}",
                    self.dice.below(256),
                    self.dice.below(256),
                    1_024 + self.dice.below(60_000)
                );
                self.open.push((payee, connection.clone()));
                Says::Connected {
                    worker: Some(address(payee)),
                    connection: Some(label(&connection)),
                }
            }
            _ => {
                let at = self.dice.below(self.open.len() as u64) as usize;
                let (payee, connection) = self.open.swap_remove(at);
                Says::Disconnected {
                    worker: Some(address(payee)),
                    connection: Some(label(&connection)),
                }
            }
        }
    }

    fn request(&mut self) -> RequestId {
        RequestId::Hex(self.dice.next() as u32)
    }

    fn job(&mut self, is_ai: bool, payee: u64) -> Processed {
        let units =
            [38_419_200, 179_712_000, 44_553_600, 55_296_000, 786_432][self.dice.below(5) as usize];
        let price = [22, 136, 150, 500, 1_200][self.dice.below(5) as usize];
        let response = 100 + self.dice.below(900) as i64;
        Processed {
            worker: (!is_ai).then(|| address(payee)),
            request: is_ai.then(|| self.request()),
            model_id: label("ByteDance/SDXL-Lightning"),
            pipeline: label(if payee.is_multiple_of(2) {
                "text-to-image"
            } else {
                "image-to-image"
            }),
            units: Some(units),
            price_wei: Some(price),
            response_time: Some(if is_ai {
                response * 1_000_000 + self.dice.below(1_000_000) as i64
            } else {
                response
            }),
            duration_ms: (!is_ai).then_some(2_000),
            real_time_ratio: (!is_ai).then_some(2_000 / response),
            fee: Fee::Payable((units * price) as u64),
        }
    }
}

fn address(payee: u64) -> Address {
    let mut bytes = [0x5a; 20];
    bytes[..8].copy_from_slice(&Dice(payee).next().to_le_bytes());
    Address(bytes)
}
