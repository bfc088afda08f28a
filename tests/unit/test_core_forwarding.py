"""Whose address it is: what a stranger may write into a header must never decide it."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forwarding import believe_trusted_proxies, read_address, source_of

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:aaaa::/48"))
PROXY = "10.0.0.1"
CLIENT = "203.0.113.9"

addresses = st.ip_addresses().map(str)
outsiders = st.ip_addresses().filter(
    lambda address: (
        not any(address in network for network in TRUSTED)
        and not (isinstance(address, IPv6Address) and address.ipv4_mapped)
    )
)
proxies = st.one_of(st.ip_addresses(network=TRUSTED[0]), st.ip_addresses(network=TRUSTED[1])).map(
    str
)
rubbish = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=","))
anything = st.lists(st.one_of(addresses, rubbish, proxies), max_size=6).map(",".join)


def believed(peer: str | None, **headers: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"REMOTE_ADDR": peer}
    meta |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    believe_trusted_proxies(meta, TRUSTED)
    return meta


def client(peer: str | None, **headers: str) -> str | None:
    found: str | None = believed(peer, **headers)["REMOTE_ADDR"]
    return found


class TestAddress:
    @pytest.mark.parametrize(
        ("forwarded_for", "expected"),
        [
            (CLIENT, CLIENT),
            (f"198.51.100.1, {CLIENT}", CLIENT),
            (f"{CLIENT}, 10.9.9.9, 2001:db8:aaaa::7", CLIENT),
            ("2001:DB8::1", "2001:db8::1"),
            (f"::ffff:{CLIENT}", CLIENT),
            (f"rubbish, {CLIENT}", CLIENT),
            (f"{CLIENT}, rubbish", PROXY),
            (f"{CLIENT},", PROXY),
            (f"{CLIENT}:443", PROXY),
            ("fe80::1%eth0", PROXY),
            ("unknown", PROXY),
            ("10.1.1.1, 10.2.2.2", PROXY),
            ("", PROXY),
        ],
    )
    def test_behind_a_trusted_proxy_it_is_the_last_that_is_no_proxy(
        self, forwarded_for: str, expected: str
    ):
        assert client(PROXY, x_forwarded_for=forwarded_for) == expected

    def test_a_proxy_that_says_nothing_is_the_client(self):
        assert client(PROXY) == PROXY

    @pytest.mark.parametrize("peer", ["unix:", "", None])
    def test_a_peer_without_an_address_is_believed_nothing(self, peer: str | None):
        assert client(peer, x_forwarded_for=CLIENT) == peer

    def test_a_proxy_on_a_socket_for_both_families_is_the_same_proxy(self):
        assert client(f"::ffff:{PROXY}", x_forwarded_for=CLIENT) == CLIENT

    @pytest.mark.parametrize("name", ["forwarded", "x_real_ip", "x_forwarded_host", "x_client_ip"])
    @pytest.mark.conforms("Z9")
    def test_no_other_header_counts(self, name: str):
        assert client(PROXY, **{name: CLIENT}) == PROXY

    @given(peer=outsiders, forwarded_for=anything, scheme=rubbish)
    def test_a_stranger_decides_nothing(self, peer: Any, forwarded_for: str, scheme: str):
        meta = believed(str(peer), x_forwarded_for=forwarded_for, x_forwarded_proto=scheme)
        assert meta == {"REMOTE_ADDR": str(peer)}

    @given(peer=proxies, made_up=anything, seen=outsiders, ours=st.lists(proxies, max_size=3))
    @pytest.mark.conforms("Z9")
    def test_what_the_client_made_up_decides_nothing(
        self, peer: str, made_up: str, seen: IPv4Address | IPv6Address, ours: list[str]
    ):
        forwarded_for = ", ".join([made_up, str(seen), *ours])
        assert client(peer, x_forwarded_for=forwarded_for) == str(seen)

    @given(peer=proxies, forwarded_for=anything)
    def test_whatever_a_proxy_sends_the_client_has_an_address(self, peer: str, forwarded_for: str):
        assert read_address(client(peer, x_forwarded_for=forwarded_for) or "") is not None


class TestScheme:
    def test_a_trusted_proxy_tells_that_it_was_https(self):
        meta = believed(PROXY, x_forwarded_proto="https")
        assert meta["HTTP_X_FORWARDED_PROTO"] == "https"

    @pytest.mark.parametrize("scheme", ["http", "https, http", "http, https", "HTTPS", "on", ""])
    def test_it_tells_so_by_that_word_alone(self, scheme: str):
        assert "HTTP_X_FORWARDED_PROTO" not in believed(PROXY, x_forwarded_proto=scheme)

    @pytest.mark.conforms("Z9")
    def test_a_stranger_cannot_tell_so(self):
        assert "HTTP_X_FORWARDED_PROTO" not in believed(CLIENT, x_forwarded_proto="https")


class TestSource:
    @pytest.mark.parametrize(
        ("address", "source"),
        [
            (CLIENT, CLIENT),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            (f"::ffff:{CLIENT}", CLIENT),
            (None, "unknown"),
        ],
    )
    def test_of_ipv6_the_64_is_one_source(self, address: str | None, source: str):
        assert source_of(address) == source

    @given(address=st.ip_addresses(v=6))
    def test_a_source_is_never_finer_than_its_64(self, address: IPv6Address):
        if address.ipv4_mapped is None:
            beside = IPv6Address(int(address) ^ 1)
            assert source_of(str(address)) == source_of(str(beside))


@given(rubbish)
def test_what_is_no_address_is_none(text: str):
    found = read_address(text)
    assert found is None or str(found)
