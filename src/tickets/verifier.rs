//! Signatures are recovered on threads of their own, as many as there are cores: a batch is shared
//! out in parts, so that a large one does not wait for a single core.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use purser_commands::ticket::pay::SignatureFact;
use purser_events::Word;
use tokio::sync::oneshot;

use super::batch::Batch;
use super::hash::draw;
use super::signature::signer;

/// Tickets of a batch that one thread takes at a time.
const PART: usize = 16;

/// The threads that recover signatures.
#[derive(Clone, Debug)]
pub struct Verifier {
    parts: Sender<Part>,
}

/// A part of a batch on its way to a thread.
struct Part {
    batch: Arc<Batch>,
    rand: Option<Word>,
    from: usize,
    reply: oneshot::Sender<Vec<SignatureFact>>,
}

impl Verifier {
    /// Starts `threads` threads; they end when the last copy of the verifier is gone.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (parts, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            Builder::new()
                .name(format!("verifier-{number}"))
                .spawn(move || serve(&queue))?;
        }
        Ok(Self { parts })
    }

    /// What each signature of a batch says, in its order. `rand` is what the batch is drawn with;
    /// without it nothing wins.
    pub async fn verify(&self, batch: Arc<Batch>, rand: Option<Word>) -> Vec<SignatureFact> {
        let count = batch.tickets.len();
        let mut replies = Vec::with_capacity(count.div_ceil(PART));
        for from in (0..count).step_by(PART) {
            let (reply, answer) = oneshot::channel();
            let batch = Arc::clone(&batch);
            let part = Part {
                batch,
                rand,
                from,
                reply,
            };
            // The threads live as long as this sender: only a breach there loses an answer.
            let _ = self.parts.send(part);
            replies.push(answer);
        }
        let mut facts = Vec::with_capacity(count);
        for answer in replies {
            facts.extend(answer.await.unwrap_or_default());
        }
        // What no thread answered for is refused, and can be sent again.
        facts.resize(count, SignatureFact::Bad);
        facts
    }
}

fn serve(queue: &Mutex<Receiver<Part>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(part) = next else { return };
        let to = (part.from + PART).min(part.batch.tickets.len());
        let facts = (part.from..to).map(|at| fact(&part.batch, at, part.rand));
        // A caller that went away misses nothing that it waits for.
        let _ = part.reply.send(facts.collect());
    }
}

/// What the signature of one ticket says.
fn fact(batch: &Batch, at: usize, rand: Option<Word>) -> SignatureFact {
    let (nonce, signature) = &batch.tickets[at];
    let found = signer(&batch.ticket(*nonce).hash(), signature);
    if found != Ok(batch.bound.sender) {
        return SignatureFact::Bad;
    }
    let won = rand.is_some_and(|rand| draw(signature, &rand) < batch.bound.win_prob);
    if won {
        SignatureFact::Won
    } else {
        SignatureFact::Lost
    }
}
