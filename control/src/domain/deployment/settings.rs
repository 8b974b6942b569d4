//! What a deployment says beside what is to run, and the rules on it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::Settings;
use crate::domain::fault::{At, Faults};
use crate::domain::package::{Plan, Runtime};

/// Most networks a deployment takes part in, and most trees of parameters it follows.
const MOST_ROS_NETWORKS: usize = 16;
const MOST_TREES: usize = 64;
/// Bytes of a text here.
const LONGEST: usize = 256;
/// The largest domain id of a DDS network: ports beyond it would exceed 65535 (RTPS 2.5, 9.6.2.3).
const LARGEST_DOMAIN_ID: u32 = 232;

/// A ROS network a deployment takes part in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RosNetwork {
    /// Its name.
    pub network: String,
    /// Its DDS domain; none where there is none.
    pub domain_id: Option<u32>,
    /// Empty when none was named.
    pub interface: String,
}

/// Settings the platform keeps for its own services.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Features {
    /// Whether it gets configuration parameters.
    pub params_enabled: bool,
    /// Which trees of them.
    pub params_trees: Vec<String>,
    /// Whether it starts only when it has them.
    pub params_block_until_synced: bool,
    /// Whether it is in the private network.
    pub vpn_enabled: bool,
}

impl Settings {
    /// Notes what is wrong with it, as far as that shows without the package.
    pub(super) fn judge(&self, spec: &At<'_>, faults: &mut Faults) {
        judge_text(&self.device, &spec.field("device"), faults);
        judge_text(&self.service_account, &spec.field("service_account"), faults);
        judge_text(&self.network_interface, &spec.field("network_interface"), faults);
        let list = spec.field("ros_networks");
        judge_length(self.ros_networks.len(), MOST_ROS_NETWORKS, &list, "too_many_ros_networks", faults);
        let mut seen = HashSet::new();
        for (i, network) in self.ros_networks.iter().enumerate() {
            network.judge(&list.index(i), faults);
            if !seen.insert(&network.network) {
                let message = format!("{} stands here twice; name each network once", network.network);
                faults.add(list.index(i).field("network"), "ros_network_twice", message);
            }
        }
        let Some(features) = &self.features else {
            return;
        };
        let features_at = spec.field("features");
        let trees = features_at.field("params_trees");
        judge_length(features.params_trees.len(), MOST_TREES, &trees, "too_many_trees", faults);
        for (i, tree) in features.params_trees.iter().enumerate() {
            if tree.is_empty() {
                faults.add(trees.index(i), "params_tree", "is empty; name a tree");
            }
            judge_text(tree, &trees.index(i), faults);
        }
    }

    /// Notes where it contradicts the package.
    pub(super) fn judge_in(&self, plan: &Plan, spec: &At<'_>, faults: &mut Faults) {
        let runs_on = |runtime| plan.components.iter().any(|component| component.runtime == runtime);
        if let Some(said) = self.runtime
            && !runs_on(said)
        {
            let (said, is) = match said {
                Runtime::Cloud => ("cloud", "device"),
                Runtime::Device => ("device", "cloud"),
            };
            let message = format!("is {said}, and the package runs on: {is}; say {is}, or leave it out");
            faults.add(spec.field("runtime"), "runtime_mismatch", message);
        }
        if !self.device.is_empty() && !runs_on(Runtime::Device) {
            let message = "no component of the package runs on a device; leave it out";
            faults.add(spec.field("device"), "device_on_cloud", message);
        }
    }
}

impl RosNetwork {
    fn judge(&self, at: &At<'_>, faults: &mut Faults) {
        if self.network.is_empty() {
            faults.add(at.field("network"), "ros_network", "is empty; name the network");
        }
        judge_text(&self.network, &at.field("network"), faults);
        judge_text(&self.interface, &at.field("interface"), faults);
        if let Some(id) = self.domain_id.filter(|id| *id > LARGEST_DOMAIN_ID) {
            let message = format!("{id} is no domain id; they go from 0 to {LARGEST_DOMAIN_ID}");
            faults.add(at.field("domain_id"), "ros_domain_id", message);
        }
    }
}

fn judge_text(text: &str, at: &At<'_>, faults: &mut Faults) {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        let message = format!("must be at most {LONGEST} bytes of text, without control characters");
        faults.add(at, "text", message);
    }
}

fn judge_length(length: usize, most: usize, at: &At<'_>, rule: &'static str, faults: &mut Faults) {
    if length > most {
        faults.add(at, rule, format!("there are {length}; at most {most} are possible"));
    }
}
