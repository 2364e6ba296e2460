"""What security an OPC UA server offers, and the certificate that it shows; asked without any trust."""

from __future__ import annotations

from dataclasses import dataclass

from asyncua import Client, ua

from edge_agent.adapters.opcua import plain
from edge_agent.adapters.opcua_security import first_der
from edge_agent.config.model import OpcUaSource
from edge_agent.errors import AgentError


@dataclass(frozen=True, slots=True)
class Offer:
    """One endpoint. policy: its short name, or None; certificate: DER, empty for none; users: ways to log in.

    application_uri: what the server calls itself.
    """

    url: str
    policy: str
    mode: str
    certificate: bytes
    application_uri: str
    users: tuple[str, ...]


async def offers_of(source: OpcUaSource) -> list[Offer]:
    """Every endpoint, the most secure first. Raises AgentError where the server cannot be asked."""
    client = Client(source.endpoint, timeout=source.timeout_us / 1e6)
    try:
        endpoints = await client.connect_and_get_server_endpoints()
    except (OSError, TimeoutError, ua.UaError) as fault:
        refused = isinstance(fault, OSError) and not isinstance(fault, TimeoutError)
        what = f"{source.host}:{source.port} takes no connection" if refused else plain(fault)
        raise AgentError(what, source.endpoint, "check address, port and firewall") from None
    ranked = sorted(endpoints, key=lambda endpoint: -endpoint.SecurityLevel)
    return [
        Offer(
            url=endpoint.EndpointUrl or "",
            policy=(endpoint.SecurityPolicyUri or "").rpartition("#")[2] or "None",
            mode=endpoint.SecurityMode.name.rstrip("_"),
            certificate=first_der(endpoint.ServerCertificate or b""),
            application_uri=endpoint.Server.ApplicationUri or "",
            users=tuple(token.TokenType.name.rstrip("_") for token in endpoint.UserIdentityTokens or []),
        )
        for endpoint in ranked
    ]
