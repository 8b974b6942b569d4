use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::tools::PATIENCE;
use crate::{Fault, OrFault as _, Outcome, Stage};

/// A client program one talks with line by line, for as long as the story wants its connection open.
pub struct Talk {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    /// Starts it; what it complains of goes to a log of the stage.
    pub fn start(stage: &Stage, name: &str, mut command: Command) -> Outcome<Self> {
        let log = std::fs::File::create(stage.log_path(&format!("{name}.err")))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().or_fault(format_args!("cannot start {name}"))?;
        let output = child.stdout.take().or_fault("no standard output")?;
        let output = BufReader::new(output).lines();
        Ok(Self { name: name.to_owned(), input: child.stdin.take(), child, output })
    }

    /// Gives it a line.
    pub async fn say(&mut self, line: &str) -> Outcome {
        let input = self.input.as_mut().or_fault("its input is closed")?;
        input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(input.flush().await?)
    }

    /// Closes its input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// The next line it prints; none at its end.
    pub async fn hear(&mut self) -> Outcome<Option<String>> {
        match timeout(PATIENCE, self.output.next_line()).await {
            Ok(line) => Ok(line?),
            Err(_) => Err(Fault::new(format_args!("{} says nothing for {PATIENCE:?}", self.name))),
        }
    }

    /// Says a line and expects a line.
    pub async fn ask(&mut self, line: &str) -> Outcome<String> {
        self.say(line).await?;
        self.hear().await?.or_fault(format_args!("{} ended", self.name))
    }

    /// All it still prints until it ends by itself.
    pub async fn rest(mut self) -> Outcome<Vec<String>> {
        self.hang_up();
        let mut lines = Vec::new();
        while let Some(line) = self.hear().await? {
            lines.push(line);
        }
        timeout(PATIENCE, self.child.wait()).await.or_fault("it does not end")??;
        Ok(lines)
    }
}
