use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::certificate::Certificate;
use crate::fault::Fault;

/// What a look at the files found that somebody wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A certificate is served from now on.
    Served {
        /// The file of its chain.
        file: PathBuf,
        /// What it is for.
        names: String,
    },
    /// A certificate is not served any more: its files are gone from their directory.
    Withdrawn {
        /// The file of its chain.
        file: PathBuf,
    },
    /// The secrets of the fleet's session tickets were read anew.
    TicketSecrets,
    /// Something is wrong with a file. What it held before is served on.
    Wrong(Fault),
    /// What was wrong with a file is wrong no more.
    Mended {
        /// The file.
        file: PathBuf,
    },
    /// A certificate that is served has not long to live.
    Aging {
        /// The file of its chain.
        file: PathBuf,
        /// Until its end; nothing when it has come.
        left: Option<Duration>,
    },
}

/// How near its end a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Age {
    #[default]
    Young,
    /// Whoever renews it should have done so: issuers advise a third of its life, or a month, before.
    Old,
    /// Somebody must see to it today.
    LastDays,
    Expired,
}

/// The last part of a long life: 14 days, and 2.
const OLD: Duration = Duration::from_secs(14 * 86_400);
const LAST_DAYS: Duration = Duration::from_secs(2 * 86_400);

impl Age {
    fn of(certificate: &Certificate, now: SystemTime) -> Self {
        let life = certificate.life();
        match certificate.expires_in(now) {
            None => Self::Expired,
            Some(left) if left <= LAST_DAYS.min(life / 12) => Self::LastDays,
            Some(left) if left <= OLD.min(life / 4) => Self::Old,
            Some(_) => Self::Young,
        }
    }
}

/// Remembers what has been told.
#[derive(Default)]
pub(super) struct Teller {
    /// What was wrong at the last look.
    seen: Vec<Fault>,
    told: HashSet<Fault>,
    /// Ages told, by the file.
    ages: HashMap<PathBuf, Age>,
}

impl Teller {
    /// What is new since the last look.
    pub(super) fn tell(
        &mut self,
        before: &[Arc<Certificate>],
        served: &[Arc<Certificate>],
        faults: Vec<Fault>,
        renewed: bool,
        now: SystemTime,
    ) -> Vec<News> {
        let mut news = changes(before, served);
        news.extend(renewed.then_some(News::TicketSecrets));
        self.compare_faults(faults, &mut news);
        for certificate in served {
            let (file, age) = (certificate.file().to_owned(), Age::of(certificate, now));
            let told = self.ages.insert(file.clone(), age).unwrap_or_default();
            if age > told {
                news.push(News::Aging { file, left: certificate.expires_in(now) });
            }
        }
        self.ages.retain(|file, _| served.iter().any(|certificate| certificate.file() == file));
        news
    }

    /// A fault is told when it is there at two looks in a row: files that belong together are seldom
    /// replaced in one instant, and nobody wants to know of the instant between.
    fn compare_faults(&mut self, faults: Vec<Fault>, news: &mut Vec<News>) {
        for fault in &faults {
            if self.seen.contains(fault) && self.told.insert(fault.clone()) {
                news.push(News::Wrong(fault.clone()));
            }
        }
        let is_wrong = |file: &PathBuf| faults.iter().any(|fault| fault.file == *file);
        let mended: HashSet<PathBuf> = self.told.iter().map(|fault| fault.file.clone()).collect();
        news.extend(mended.into_iter().filter(|file| !is_wrong(file)).map(|file| News::Mended { file }));
        self.told.retain(|fault| faults.contains(fault));
        self.seen = faults;
    }
}

fn changes(before: &[Arc<Certificate>], served: &[Arc<Certificate>]) -> Vec<News> {
    let is_new = |one: &&Arc<Certificate>| !before.iter().any(|other| Arc::ptr_eq(one, other));
    let is_gone = |one: &&Arc<Certificate>| !served.iter().any(|other| one.file() == other.file());
    let added = served
        .iter()
        .filter(is_new)
        .map(|certificate| News::Served { file: certificate.file().to_owned(), names: names(certificate) });
    let removed = before.iter().filter(is_gone);
    added.chain(removed.map(|gone| News::Withdrawn { file: gone.file().to_owned() })).collect()
}

/// A few of its names.
fn names(certificate: &Certificate) -> String {
    let mut names: Vec<String> = certificate.names().iter().take(3).map(ToString::to_string).collect();
    if let Some(more) = certificate.names().len().checked_sub(3).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

impl News {
    /// Whether somebody has to see to it.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Wrong(_) | Self::Aging { .. })
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served { file, names } => {
                write!(f, "the certificate in {} is served from now on, for {names}", file.display())
            }
            Self::Withdrawn { file } => {
                write!(f, "the certificate of {} is gone and not served any more", file.display())
            }
            Self::TicketSecrets => f.write_str("the secrets of session tickets were read anew"),
            Self::Wrong(fault) => write!(f, "{fault}; what was served before is served on"),
            Self::Mended { file } => write!(f, "{} is good again", file.display()),
            Self::Aging { file, left: None } => {
                write!(f, "the certificate in {} has expired, and clients refuse it", file.display())
            }
            Self::Aging { file, left: Some(left) } => {
                let hours = left.as_secs() / 3600;
                write!(f, "the certificate in {} expires in {} days", file.display(), hours / 24)?;
                if hours < 48 { write!(f, " ({hours} hours)") } else { Ok(()) }
            }
        }
    }
}
