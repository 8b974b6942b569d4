use crate::manifest::fields::Fields;

/// What an executable is started with.
#[derive(Default)]
pub(super) struct Command {
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
}

const SHELL: [&str; 2] = ["/bin/bash", "-c"];

/// As the real client does it: `runAsBash` puts a shell before the command, unless an entrypoint of its own
/// says what runs it. The client leaves the word standing in what it sends, so a shell that is there already
/// is enough; and it is never written, for on reading the client would put another one before it.
pub(super) fn read(executable: &mut Fields<'_>) -> Command {
    let entrypoint = executable.texts("entrypoint");
    let mut command = executable.texts("command");
    let wrap = executable.flag(("runAsBash", "")).unwrap_or(false);
    let wrapped = command.iter().zip(SHELL).filter(|(word, shell)| word == shell).count() == SHELL.len();
    if wrap && !wrapped && entrypoint.iter().all(String::is_empty) && !command.is_empty() {
        command.splice(..0, SHELL.map(str::to_owned));
    }
    Command { entrypoint, command }
}

impl Command {
    /// The one text a shell is to run, as preinstalled programs are started: the words as a shell takes them
    /// apart again, or the text that was meant for a shell already.
    pub(super) fn for_shell(&self) -> String {
        let words: Vec<&str> = self.entrypoint.iter().chain(&self.command).map(String::as_str).collect();
        match words.as_slice() {
            [shell, flag, text] if SHELL == [*shell, *flag] => (*text).to_owned(),
            [only] => (*only).to_owned(),
            words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
        }
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one_text_that_a_shell_takes_apart_again() {
        let shell = |words: &[&str]| {
            let command = words.iter().map(|word| (*word).to_owned()).collect();
            Command { command, ..Default::default() }.for_shell()
        };
        assert_eq!(shell(&["ls -l && pwd"]), "ls -l && pwd");
        assert_eq!(shell(&["/bin/bash", "-c", "ls | wc"]), "ls | wc");
        assert_eq!(shell(&["ls", "-l", "my file", "it's", ""]), r"ls -l 'my file' 'it'\''s' ''");
        assert_eq!(shell(&[]), "");
    }
}
