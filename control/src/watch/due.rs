use std::collections::{HashSet, VecDeque};

use proto::ProjectId;

use crate::domain::DeploymentGuid;

/// What comes next on a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// A deployment is to be looked at.
    Look(ProjectId, DeploymentGuid),
    /// All that was there has been told.
    Synced,
}

/// What is still to be looked at, in the order in which it came up, each deployment once.
#[derive(Debug, Default)]
pub(super) struct Due {
    order: VecDeque<Next>,
    waiting: HashSet<DeploymentGuid>,
}

impl Due {
    /// Puts a deployment at the end, unless it waits already: it will be looked at as it is then.
    pub(super) fn look_at(&mut self, project: &ProjectId, guid: &DeploymentGuid) {
        if self.waiting.insert(guid.clone()) {
            self.order.push_back(Next::Look(project.clone(), guid.clone()));
        }
    }

    /// Has it said, after all that waits now, that everything was told.
    pub(super) fn say_synced(&mut self) {
        self.order.push_back(Next::Synced);
    }

    pub(super) fn next(&mut self) -> Option<Next> {
        let next = self.order.pop_front();
        if let Some(Next::Look(_, guid)) = &next {
            self.waiting.remove(guid);
        }
        next
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::built_in_project;

    #[test]
    fn each_deployment_waits_once_and_in_turn() {
        let guid = |n: u8| DeploymentGuid::parse(&format!("dep-{n:020}")).unwrap();
        let project = built_in_project();
        let mut due = Due::default();
        for n in [1, 2, 1] {
            due.look_at(&project, &guid(n));
        }
        due.say_synced();
        assert_eq!(due.next(), Some(Next::Look(project.clone(), guid(1))));
        due.look_at(&project, &guid(1));
        let rest = [Next::Look(project.clone(), guid(2)), Next::Synced, Next::Look(project, guid(1))];
        assert_eq!(due.len(), rest.len());
        assert_eq!(std::iter::from_fn(|| due.next()).collect::<Vec<_>>(), rest);
        assert!(due.is_empty());
    }
}
