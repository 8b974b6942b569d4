//! The variables that tell where endpoints are. The dialect has no place of their own for them: answers show
//! them among `spec.envArgs`, and clients send them back from there.

use std::collections::{HashMap, HashSet};

use crate::wire;

/// Of everything the executables of a deployment see, what tells the addresses of endpoints, its own and its
/// parents': `X`, `X_HOST` and `X_PORT`, of which the first is made of the others.
pub(super) fn injected(environment: &[wire::EnvVar]) -> Vec<&wire::EnvVar> {
    let values: HashMap<&str, &str> =
        environment.iter().map(|variable| (variable.name.as_str(), variable.value.as_str())).collect();
    let is_address = |name: &str| -> bool {
        let part = |of: &str| values.get(format!("{name}_{of}").as_str()).copied();
        let (Some(url), Some(host), Some(port)) = (values.get(name), part("HOST"), part("PORT")) else {
            return false;
        };
        let Some((_scheme, address)) = url.split_once("://") else { return false };
        let Some((told_host, told_port)) = address.rsplit_once(':') else { return false };
        // Of a range, the URL has the first port.
        told_host == host && port.split([',', '-']).next() == Some(told_port)
    };
    let mut names: HashSet<String> = HashSet::new();
    for variable in environment.iter().filter(|variable| is_address(&variable.name)) {
        let name = &variable.name;
        names.extend([name.clone(), format!("{name}_HOST"), format!("{name}_PORT")]);
    }
    environment.iter().filter(|variable| names.contains(&variable.name)).collect()
}

/// Takes out of `spec` the variables that an answer put there: those that tell, in `shown` as the deployment
/// is now, where endpoints are. They are worked out anew.
pub fn drop_injected(spec: &mut wire::DeploymentSpec, shown: &wire::DeploymentStatus) {
    let names: HashSet<&str> =
        injected(&shown.environment).into_iter().map(|variable| variable.name.as_str()).collect();
    spec.env_args.retain(|variable| !names.contains(variable.name.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<wire::EnvVar> {
        let variable = |(name, value): &(&str, &str)| wire::EnvVar {
            name: (*name).into(),
            value: (*value).into(),
            ..Default::default()
        };
        pairs.iter().map(variable).collect()
    }

    #[test]
    fn only_addresses_of_endpoints_are_taken_out() {
        let shown = variables(&[
            ("WEB", "https://shop.ep-r.io:443"),
            ("WEB_HOST", "shop.ep-r.io"),
            ("WEB_PORT", "443"),
            ("MEDIA", "udp://main.dep.internal:3500"),
            ("MEDIA_HOST", "main.dep.internal"),
            ("MEDIA_PORT", "3500,4000-4002"),
            ("DB", "postgres"),
            ("DB_HOST", "db"),
            ("DB_PORT", "5432"),
            ("LEVEL", "debug"),
        ]);
        let names = ["WEB", "WEB_HOST", "WEB_PORT", "MEDIA", "MEDIA_HOST", "MEDIA_PORT"];
        assert_eq!(injected(&shown).iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), names);
        let mut spec = wire::DeploymentSpec {
            env_args: variables(&[("WEB", "https://old.ep-r.io:443"), ("LEVEL", "info"), ("DB_HOST", "db")]),
            ..Default::default()
        };
        let status = wire::DeploymentStatus { environment: shown, ..Default::default() };
        drop_injected(&mut spec, &status);
        assert_eq!(spec.env_args, variables(&[("LEVEL", "info"), ("DB_HOST", "db")]));
    }
}
