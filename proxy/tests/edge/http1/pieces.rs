//! Conversations made up by chance, cut into pieces by chance: what comes out at either end is what went in
//! at the other.

use crate::wire::{DOORS, Door, Scene, answer, cross};

/// A source of chance that says the same for the same seed.
struct Dice(u64);

impl Dice {
    /// A number below `sides` (Marsaglia, "Xorshift RNGs", 2003).
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    /// Mostly small, now and then larger than what is read at once.
    fn size(&mut self) -> usize {
        let most = [2, 100, 5000, 200_000][self.roll(4)];
        self.roll(most)
    }

    fn text(&mut self, length: usize) -> String {
        let from = self.roll(26);
        ('a'..='z').cycle().skip(from).take(length).collect()
    }

    /// A body in chunks of any size, some with extensions, some with trailers.
    fn chunks(&mut self) -> String {
        let mut body = String::new();
        for _ in 0..self.roll(6) {
            let size = 1 + self.size();
            let extension = ["", ";a", ";a=b;c=\"d\""][self.roll(3)];
            body += &format!("{size:x}{extension}\r\n{}\r\n", self.text(size));
        }
        body + ["0\r\n\r\n", "0\r\nx-sum: 1\r\n\r\n", "00;z\r\na: b\r\nc: d\r\n\r\n"][self.roll(3)]
    }

    /// `words` in pieces.
    fn cut<'w>(&mut self, mut words: &'w [u8]) -> Vec<&'w [u8]> {
        let mut pieces = Vec::new();
        while !words.is_empty() {
            let (piece, rest) = words.split_at((1 + self.size()).min(words.len()));
            pieces.push(piece);
            words = rest;
        }
        pieces
    }
}

/// A request, what the backend gets of it, and the answer, which passes as it is.
struct Exchange {
    request: String,
    forwarded: String,
    answer: String,
}

fn exchange(dice: &mut Dice, door: Door, n: usize) -> Exchange {
    let method = ["GET", "HEAD", "POST", "PUT"][dice.roll(4)];
    let line = format!("{method} /{n} HTTP/1.1");
    let (framing, body) = match dice.roll(3) {
        0 if method == "GET" || method == "HEAD" => (String::new(), String::new()),
        0 | 1 => {
            let size = dice.size();
            (format!("content-length: {size}\r\n"), dice.text(size))
        }
        _ => ("transfer-encoding: chunked\r\n".to_owned(), dice.chunks()),
    };
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(dice.roll(3));
    let last = match (dice.roll(3), method) {
        (_, "HEAD") => "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 7\r\n\r\n".to_owned(),
        (0, _) => "HTTP/1.1 204 No Content\r\ndate: D\r\n\r\n".to_owned(),
        (1, _) => {
            let size = dice.size();
            answer("200 OK", &dice.text(size))
        }
        _ => format!("HTTP/1.1 200 OK\r\ndate: D\r\ntransfer-encoding: chunked\r\n\r\n{}", dice.chunks()),
    };
    Exchange {
        request: door.request(&line, &framing) + &body,
        forwarded: door.forwarded(&line, "", &framing) + &body,
        answer: interim + &last,
    }
}

#[tokio::test]
async fn every_byte_goes_where_it_belongs() {
    for (door, seed) in cross(DOORS, 1..=12) {
        let mut dice = Dice(seed);
        let scene = Scene::open().await;
        let exchanges: Vec<_> = (0..20).map(|n| exchange(&mut dice, door, n)).collect();
        let (mut requests, mut answers) = (String::new(), String::new());
        for Exchange { request, answer, .. } in &exchanges {
            requests += request;
            answers += answer;
        }
        let pieces = dice.cut(requests.as_bytes());
        let mut client = scene.client(door).await;
        let serves = async {
            let mut backend = scene.backend().await;
            for Exchange { forwarded, answer, .. } in &exchanges {
                backend.hears(forwarded).await;
                backend.says_and_hears(&dice.cut(answer.as_bytes()), "").await;
            }
            backend
        };
        let ((), backend) = tokio::join!(client.says_and_hears(&pieces, &answers), serves);
        client.stops().await;
        client.hears_the_end().await;
        scene.settle().await;
        backend.hears_nothing();
    }
}
