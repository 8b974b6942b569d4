"""All contenders."""

from . import crates, debian, ours, packaged
from .contender import Contender


def contenders() -> list[Contender]:
    return [
        ours.Epr(), ours.Floor(), debian.NGINX_22, debian.NGINX_26, debian.HAPROXY_26, debian.HAPROXY_28,
        debian.HAPROXY_30, packaged.Envoy(), packaged.Traefik(), packaged.Caddy(), crates.Sozu(), crates.Pingora(),
        debian.Sniproxy(),
    ]
