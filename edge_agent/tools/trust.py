"""``trust``: show the certificate of an OPC UA server, and put it on the trust list once a person has
compared its fingerprint.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from edge_agent.config.model import OpcUaSource
from edge_agent.errors import AgentError
from edge_agent.tools.certificates import Facts, facts, loaded, parsed, same_fingerprint
from edge_agent.tools.target import Target, opcua_of

if TYPE_CHECKING:
    from edge_agent.adapters.opcua_offer import Offer

_SUFFIXES = (".der", ".pem", ".crt", ".cer")
Ask = Callable[[str], str]


def trust(
    target: Target,
    into: Path | None,
    now_us: int,
    *,
    yes: bool,
    fingerprint: str | None,
    ask: Ask | None = None,
) -> int:
    """Fetch, show, ask, store; 0 where every certificate of the server is trusted in the end.

    into: folder or file of trusted certificates; the source's, or ``trusted`` here, if None. ask: prompts a
    person; None where nobody sits there. Raises AgentError where the server cannot be asked, shows none, or
    shows another than ``fingerprint``.
    """
    from edge_agent.adapters.opcua_offer import offers_of

    source = opcua_of(target)
    offers = asyncio.run(offers_of(replace(source, security=None)))
    print(f"{source.endpoint} offers:")
    for offer in offers:
        print(f"  {offer.policy} {offer.mode}, login: {', '.join(offer.users) or 'none'}")
    certificates = {offer.certificate: offer for offer in _wanted(source, offers) if offer.certificate}
    if not certificates:
        mend = "switch security on at the server, or write security: none in the config"
        raise AgentError("the server shows no certificate", source.endpoint, mend)
    place = into or (source.security.trusted if source.security is not None else Path("trusted"))
    accepted = [
        _one(source, offer, der, place, now_us, yes=yes, fingerprint=fingerprint, ask=ask)
        for der, offer in certificates.items()
    ]
    return 0 if all(accepted) else 1


def _wanted(source: OpcUaSource, offers: list[Offer]) -> list[Offer]:
    """Those that the config asks for; where it asks for none, every secured one, else whatever there is."""
    if (security := source.security) is not None:
        fitting = [o for o in offers if (o.policy, o.mode) == (security.policy, security.mode)]
        if not fitting:
            print(f"  but no {security.policy} {security.mode}, which the config asks for", file=sys.stderr)
        return fitting or offers
    return [offer for offer in offers if offer.policy != "None"] or offers


def _one(
    source: OpcUaSource, offer: Offer, der: bytes, place: Path, now_us: int, *,
    yes: bool, fingerprint: str | None, ask: Ask | None,
) -> bool:  # fmt: skip
    """Show one certificate and store it if it is accepted."""
    certificate = parsed(der, source.endpoint)
    shown = facts(certificate)
    print("\n".join(["its certificate:", *shown.lines(now_us)]))
    for warning in _warnings(shown, offer, now_us):
        print(f"  warning: {warning}")
    if fingerprint is not None and not same_fingerprint(fingerprint, shown.fingerprint):
        mend = "this is another server, or its certificate was renewed: compare it at the server itself"
        raise AgentError(f"the fingerprint is {shown.fingerprint}", source.endpoint, mend)
    if any(facts(known).fingerprint == shown.fingerprint for known in _listed(place)):
        print(f"already trusted: {place}")
        return True
    if not (yes or fingerprint is not None):
        question = "Is this the fingerprint that the server itself shows? Trust it [y/N] "
        if ask is None or ask(question).strip().lower() not in ("y", "yes"):
            print("not trusted; compare the fingerprint, then say --fingerprint SHA256", file=sys.stderr)
            return False
    stored = _stored(place, source, certificate.public_bytes(Encoding.DER), shown)
    print(f"trusted: {stored}")
    return True


def _warnings(shown: Facts, offer: Offer, now_us: int) -> list[str]:
    found = [shown.trouble(now_us)]
    if offer.application_uri not in shown.uris:
        uri = offer.application_uri or "no application"
        found.append(f"the server calls itself {uri}, its certificate does not: the agent will refuse it")
    return [warning for warning in found if warning is not None]


def _listed(place: Path) -> list[Certificate]:
    if place.is_file():
        return [loaded(place)]
    if not place.is_dir():
        return []
    return [loaded(file) for file in sorted(place.iterdir()) if file.suffix.lower() in _SUFFIXES]


def _stored(place: Path, source: OpcUaSource, der: bytes, shown: Facts) -> Path:
    """A new file in the folder, or the file itself where the config names one that is not there yet."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{source.host}-{source.port}")
    mark = shown.fingerprint.replace(":", "").lower()[:16]
    file = place if place.suffix.lower() in _SUFFIXES else place / f"{name}-{mark}.der"
    if file.is_file():
        mend = "remove it if the server's certificate was renewed, or let trusted: name a folder"
        raise AgentError("another certificate is trusted here", str(file), mend)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(file.name + ".tmp")
        temporary.write_bytes(der)
        temporary.replace(file)
    except OSError as error:
        raise AgentError(
            f"cannot be written ({error.strerror})", str(file), "choose another --into"
        ) from None
    return file
