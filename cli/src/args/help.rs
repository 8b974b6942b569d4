use clap::CommandFactory as _;

use super::Cli;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  wrong command line
  3  no server reached
  4  waited in vain

docs/CLI.md has examples of every command.";

/// The commands by what they are for.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Serve", &["up", "control", "proxy"]),
    ("Manifests", &["validate", "apply", "delete"]),
    ("Look", &["get", "describe", "wait", "explain"]),
    ("Traffic", &["bind", "unbind", "restart"]),
    ("Who may do what", &["whoami", "secret", "token", "user", "project", "organization"]),
    ("Shell", &["completions", "help"]),
];

/// The whole command line. Commands are listed in groups, which clap does not do by itself.
pub(super) fn command() -> clap::Command {
    let command = Cli::command().after_help(EXIT_CODES);
    let about = |name: &str| {
        let about = command.find_subcommand(name).and_then(clap::Command::get_about);
        about.map_or_else(|| "Tell of a command, like `epr help apply`".to_owned(), ToString::to_string)
    };
    let mut template = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in GROUPS {
        template += &format!("\n\x1b[1;4m{heading}:\x1b[0m\n");
        for name in names {
            template += &format!("  \x1b[1m{name:<14}\x1b[0m{}\n", about(name));
        }
    }
    template += "\n\x1b[1;4mOptions:\x1b[0m\n{options}{after-help}";
    command.help_template(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_a_group() {
        let mut listed: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        listed.retain(|name| *name != "help");
        listed.sort_unstable();
        let command = command();
        let mut known: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        known.sort_unstable();
        assert_eq!(listed, known);
    }

    #[test]
    fn no_line_of_the_help_is_wider_than_a_terminal() {
        let help = command().render_help().to_string();
        let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(help.contains("Exit codes:") && wide.is_empty(), "{wide:?}");
    }
}
