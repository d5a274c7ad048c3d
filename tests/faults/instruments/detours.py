"""A cluster behind proxies: clients that come by `endpoints` stay behind them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from deploy.local import kafka
from deploy.local.cluster import Cluster
from deploy.local.stack import Endpoints
from tests.faults.instruments.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Detours:
    """The proxies in front of each broker and of a lone mongod, and the addresses to give to clients.

    Members of a replica set of several tell clients their own addresses: these have no proxy.
    """

    brokers: tuple[Proxy, ...]
    mongodb: Proxy | None
    endpoints: Endpoints


@contextmanager
def proxied(cluster: Cluster) -> Iterator[Detours]:
    """For a cluster that was made with `detour=True`, started or not."""
    with ExitStack() as stack:
        detours = [kafka.detour_of(broker.process.root) for broker in cluster.brokers]
        brokers = tuple(stack.enter_context(Proxy(f"127.0.0.1:{detour.inside}", detour.outside)) for detour in detours)
        bootstrap = ",".join(proxy.address for proxy in brokers)
        if len(cluster.mongods) > 1:
            yield Detours(brokers, None, Endpoints(bootstrap, cluster.endpoints.mongodb))
            return
        proxy = stack.enter_context(Proxy(cluster.mongods[0].address))
        uri = f"mongodb://{proxy.address}/?directConnection=true"
        yield Detours(brokers, proxy, Endpoints(bootstrap, uri))
