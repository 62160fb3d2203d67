"""Which addresses may be scanned: private or loopback, no more than a /16, and only one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, ip_network

from ashore.errors import Fault, FaultyInput, raise_if

ALLOWED = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"))
WIDEST = 16  # bits of the widest range


def allowed(texts: tuple[str, ...], owned: bool) -> list[IPv4Network]:
    """The ranges, if every one may be scanned. Raises FaultyInput with all faults."""
    faults: list[Fault] = []
    if not owned:
        what = "A scan sends packets to machines; nothing says that they are yours."
        faults.append(Fault("--i-own-these", what, "Add --i-own-these if they are, or if their owner has agreed."))
    if not texts:
        faults.append(Fault("RANGE", "No range is given.", "Give one, as 10.1.0.0/24."))
    networks = [network for text in texts if (network := _network(text, faults)) is not None]
    for place, network in enumerate(networks):
        if any(network.overlaps(other) for other in networks[:place]):
            faults.append(Fault(str(network), "The range overlaps another one.", "Give each address once."))
    if sum(network.num_addresses for network in networks) > 1 << (32 - WIDEST):
        what = f"The ranges hold more addresses than one /{WIDEST}."
        faults.append(Fault("RANGE", what, "Scan them one after the other."))
    raise_if(faults)
    return networks


def refuse_public(addresses: Iterable[str]) -> None:
    """Raises FaultyInput for the first address that is not private or loopback, or is none."""
    for address in addresses:
        try:
            inside = any(IPv4Address(address) in one for one in ALLOWED)
        except ValueError:
            inside = False
        if not inside:
            raise FaultyInput(Fault(address, "The address is not private.", "Only private ones are scanned."))


def hosts(networks: list[IPv4Network]) -> Iterator[str]:
    """Every address of the ranges that can be a host's."""
    for network in networks:
        yield from (str(address) for address in network.hosts())


def _network(text: str, faults: list[Fault]) -> IPv4Network | None:
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        faults.append(Fault(text, "This is no range of addresses.", "Write 10.1.0.0/24, or one address."))
        return None
    if not isinstance(network, IPv4Network):
        faults.append(Fault(text, "This is a range of IPv6.", "Only private ranges of IPv4 are scanned."))
        return None
    if not any(network.subnet_of(one) for one in ALLOWED):
        named = ", ".join(map(str, ALLOWED))
        faults.append(Fault(text, "The range is not private.", f"Only {named} and parts of them are scanned."))
        return None
    if network.prefixlen < WIDEST:
        faults.append(Fault(text, f"The range is wider than a /{WIDEST}.", "Scan a part of it."))
        return None
    return network
