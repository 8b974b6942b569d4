use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backends::NUMBER;
use super::draw::Draw;
use super::ledger::Ledger;
use super::site::{Edge, Victim};
use super::sound::Caller;
use crate::manifest::Speaks;
use crate::{OrFault as _, Outcome};

/// Longer than the proxy waits for anybody.
const PATIENCE: Duration = Duration::from_secs(25);
/// Between two requests: most answers break off at once.
const PAUSE: Duration = Duration::from_millis(200);
/// All that a backend in a storm ever answers whole.
const WHOLE: &[u8] = b"ok";

/// Asks one who misbehaves as a sound client does: what is broken off must not look whole.
pub(super) async fn run(edge: Edge, victim: Victim, ledger: Arc<Ledger>, over: CancellationToken, seed: u64) {
    let mut draw = Draw::new(seed);
    while !over.is_cancelled() {
        let is_h2 = victim.speaks != Speaks::Http && draw.below(2) == 0;
        let version = if is_h2 { "HTTP/2" } else { "HTTP/1.1" };
        let is_post = draw.below(3) == 0;
        let who = format!("backends, {} ({:?}) to {version}", victim.what, victim.speaks);
        tokio::select! {
            () = over.cancelled() => return,
            heard = timeout(PATIENCE, ask(&edge, &victim, &ledger, is_h2, is_post)) => match heard {
                Ok(Ok(Ok(heard))) => ledger.saw(&who, heard),
                Ok(Ok(Err(wrong))) => ledger.wrong(format_args!("{who}: {wrong}")),
                Ok(Err(_)) => ledger.saw(&who, "broken off"),
                Err(_) => ledger.wrong(format_args!("{who}: nothing for {PATIENCE:?}")),
            }
        }
        sleep(PAUSE).await;
    }
}

/// What was heard, or what was wrong with it; a fault when it broke off.
async fn ask(
    edge: &Edge,
    victim: &Victim,
    ledger: &Ledger,
    is_h2: bool,
    is_post: bool,
) -> Outcome<Result<String, String>> {
    let mut caller = Caller::connect(edge, victim.speaks, &victim.host, is_h2).await?;
    let number = ledger.number();
    let answer = caller.ask(&victim.host, number, 100, is_post).await?;
    let field = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(refusal) = field("epr-refusal") {
        return Ok(Ok(format!("{} {refusal}", answer.status().as_u16())));
    }
    let repeats =
        field(NUMBER).or_fault("an answer without a number").is_ok_and(|said| said == number.to_string());
    let (status, body) = (answer.status(), String::from_utf8_lossy(answer.body()));
    if !victim.whole {
        return Ok(Err(format!("{status} {body:?} looks whole to {number}")));
    }
    if !repeats || answer.body().as_ref() != WHOLE {
        return Ok(Err(format!("{status} {body:?} is not the answer to {number}")));
    }
    Ok(Ok(format!("{} whole", status.as_u16())))
}
