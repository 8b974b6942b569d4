use std::collections::{HashMap, HashSet};

use super::super::Volume;
use super::super::draft::VolumeDraft;
use super::SPEC;
use crate::domain::ExecutableName;
use crate::domain::fault::{At, Faults};
use crate::domain::package::{Plan, Runtime};

pub(super) fn judge_volumes(drafts: &[VolumeDraft], faults: &mut Faults) -> Vec<Volume> {
    let list = SPEC.field("volumes");
    let mut mounted = HashSet::new();
    let mut volumes = Vec::new();
    for (i, volume) in drafts.iter().enumerate() {
        let at = list.index(i);
        if !volume.mount_path.starts_with('/') || volume.mount_path.contains('\0') {
            let message = format!("{:?} is no absolute path, like /data", volume.mount_path);
            faults.add(at.field("mount_path"), "mount_path", message);
        } else if !mounted.insert((&volume.executable, &volume.mount_path)) {
            let message = format!("{} mounts something at {} already", volume.executable, volume.mount_path);
            faults.add(at.field("mount_path"), "mount_path_twice", message);
        }
        if let Some(perm) = volume.perm.filter(|perm| !is_mode(*perm)) {
            let message = format!("{perm} is no mode of a file; three or four digits from 0 to 7, like 755");
            faults.add(at.field("perm"), "volume_perm", message);
        }
        let executable = faults.take(at.field("executable"), ExecutableName::parse(&volume.executable));
        volumes.extend(executable.map(|executable| Volume {
            executable,
            mount_path: volume.mount_path.clone(),
            disk: volume.disk.clone(),
            sub_path: volume.sub_path.clone(),
            uid: volume.uid,
            gid: volume.gid,
            perm: volume.perm,
        }));
    }
    volumes
}

fn is_mode(digits: u32) -> bool {
    digits <= 7777 && digits.to_string().bytes().all(|digit| digit <= b'7')
}

/// Disks of a component are at most its whole cores: told at the first one too many.
pub(super) fn judge_volumes_in(drafts: &[VolumeDraft], plan: &Plan, faults: &mut Faults) {
    let list = SPEC.field("volumes");
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for (i, volume) in drafts.iter().enumerate() {
        let at = list.index(i);
        let Some(component) = plan.component_of(&volume.executable) else {
            if ExecutableName::parse(&volume.executable).is_ok() {
                let message = format!("{:?} is no executable of plan {}", volume.executable, plan.name);
                faults.add(at.field("executable"), "executable_unknown", message);
            }
            continue;
        };
        match component.runtime {
            Runtime::Cloud => volume.judge_on_cloud(&at, faults),
            Runtime::Device if volume.disk.is_empty() && volume.sub_path.is_empty() => {
                let message = "is empty; name the directory of the device that is mounted, or a disk";
                faults.add(at.field("sub_path"), "sub_path_required", message);
            }
            Runtime::Device => {}
        }
        if volume.disk.is_empty() {
            // A directory of the device is no disk that its cores would have to serve.
            continue;
        }
        let count = counts.entry(component.name.as_str()).or_default();
        *count += 1;
        let most = component.most_volumes();
        if *count == most + 1 {
            let message = format!(
                "component {} may have {most} volumes and no more: as many as its executables have whole \
                 cores together; give them more cpu or leave volumes out",
                component.name
            );
            faults.add(at, "volumes_exceed_cpu", message);
        }
    }
}

impl VolumeDraft {
    fn judge_on_cloud(&self, at: &At<'_>, faults: &mut Faults) {
        if self.disk.is_empty() {
            faults.add(at.field("disk"), "disk_required", "is empty; name the disk");
        }
        for (given, name) in [(self.uid, "uid"), (self.gid, "gid"), (self.perm, "perm")] {
            if given.is_some() {
                let message = "is for volumes of devices; in the cloud the platform sets it: leave it out";
                faults.add(at.field(name), "volume_owner_on_cloud", message);
            }
        }
    }
}
