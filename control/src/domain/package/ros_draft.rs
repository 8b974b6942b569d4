//! What someone wrote of ROS, and the rules on it.

use std::collections::HashMap;

use super::judge::once;
use super::ros::{Ros, RosEndpoint, RosEndpointKind, RosName, RosQos, RosVersion, Seconds};
use crate::domain::{At, Faults};

/// What someone wrote of ROS.
#[derive(Debug, Clone, Default)]
pub struct RosDraft {
    /// Whether the component takes part in it.
    pub enabled: bool,
    /// Empty when nothing was said.
    pub version: String,
    /// What it offers.
    pub endpoints: Vec<RosEndpointDraft>,
}

/// A ROS endpoint as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct RosEndpointDraft {
    /// None when nothing was said.
    pub kind: Option<RosEndpointKind>,
    /// Its name.
    pub name: String,
    /// Whether what is sent is to be compressed.
    pub compression: bool,
    /// Whether its name is to get its owner's before it.
    pub scoped: bool,
    /// Whether it is to be sent to one receiver.
    pub targeted: bool,
    /// None when nothing was said.
    pub qos: Option<RosQos>,
    /// Seconds.
    pub timeout: Option<f64>,
}

impl RosDraft {
    /// What it says, with every fault noted; none when it says nothing.
    pub(super) fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<Ros> {
        let version = match self.version.as_str() {
            "" => None,
            text => faults.take(at.field("version"), RosVersion::parse(text)),
        };
        if self.enabled && self.version.is_empty() {
            let message = "is missing; kinetic, melodic, noetic or foxy";
            faults.add(at.field("version"), "ros_version", message);
        }
        let list = at.field("endpoints");
        if !self.enabled && !self.endpoints.is_empty() {
            faults.add(list, "ros_not_enabled", "ROS is not enabled; enable it, or leave these out");
        }
        let (mut endpoints, mut seen) = (Vec::new(), HashMap::new());
        for (i, endpoint) in self.endpoints.iter().enumerate() {
            endpoints.extend(endpoint.judge(&mut seen, &list.index(i), faults));
        }
        let silent = !self.enabled && version.is_none() && endpoints.is_empty();
        (!silent).then_some(Ros { enabled: self.enabled, version, endpoints })
    }
}

impl RosEndpointDraft {
    fn judge(
        &self,
        seen: &mut HashMap<RosEndpointKind, HashMap<String, String>>,
        at: &At<'_>,
        faults: &mut Faults,
    ) -> Option<RosEndpoint> {
        let name = faults.take(at.field("name"), RosName::parse(&self.name));
        if self.scoped && self.targeted {
            let message = "an endpoint is scoped or targeted, not both; leave one of them out";
            faults.add(at.field("targeted"), "ros_scoped_and_targeted", message);
        }
        let timeout = self.timeout.and_then(|time| faults.take(at.field("timeout"), Seconds::parse(time)));
        let Some(kind) = self.kind else {
            faults.add(at.field("type"), "ros_endpoint_type", "is missing; topic, service or action");
            return None;
        };
        once(seen.entry(kind).or_default(), &self.name, &at.field("name"), "ros_name_twice", faults);
        let qos = match kind {
            RosEndpointKind::Topic => {
                if self.timeout.is_some() {
                    let message = "nobody waits for the answer of a topic; leave it out";
                    faults.add(at.field("timeout"), "ros_timeout_of_topic", message);
                }
                Some(self.qos.unwrap_or_default())
            }
            // What people write who fill in every field is no wish.
            RosEndpointKind::Service | RosEndpointKind::Action => {
                if self.qos.is_some_and(|qos| qos != RosQos::default()) {
                    let message = format!("only topics have one, and this is {kind}; leave it out");
                    faults.add(at.field("qos"), "ros_qos_of_topics_only", message);
                }
                None
            }
        };
        Some(RosEndpoint {
            kind,
            name: name?,
            compression: self.compression,
            scoped: self.scoped,
            targeted: self.targeted,
            qos,
            timeout,
        })
    }
}
