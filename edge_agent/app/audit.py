"""One line in the log for each thing that someone may have to answer for: a start, a config, a certificate.

Each line names what it is of by a hash, so that it can be held against what lies on the disk later.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from edge_agent.config.model import Config, OpcUaSource
from edge_agent.loops.heartbeat import Identity

_log = logging.getLogger("edge_agent.audit")


class Audit:
    """Of one run. A certificate is told when it is first used and whenever it has changed."""

    def __init__(self) -> None:
        self._told: dict[Path, str] = {}

    def started(self, config: Config, identity: Identity) -> None:
        """This run, and the config and certificates that it begins with."""
        who = f"agent {config.agent.site}/{config.agent.id}, instance {identity.instance.hex()}"
        run = f"stream {identity.start.hex()}, version {identity.version or '-'}, user {os.getuid()}"
        _log.info("audit: start: %s, %s", who, run)
        self.config(config)

    def config(self, config: Config) -> None:
        """The config in force from now on, and the certificates that it names."""
        _log.info("audit: config: %s, hash %s", config.file, config.content_hash)
        self.certificates(config)

    def certificates(self, config: Config) -> None:
        """Those of this gateway and those that it trusts; a folder is told by all that is in it."""
        paths = [config.uplink.certificate, config.uplink.ca]
        for source in config.sources:
            if isinstance(source, OpcUaSource) and source.security is not None:
                paths += [source.security.certificate, source.security.trusted]
        for path in paths:
            if path is not None and self._told.get(path) != (digest := _digest(path)):
                self._told[path] = digest
                _log.info("audit: certificate: %s, sha256 %s", path, digest)


def _digest(path: Path) -> str:
    files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    found = hashlib.sha256()
    for each in files:
        try:
            found.update(each.read_bytes())
        except OSError as error:
            return f"not readable: {error.strerror}"
    return found.hexdigest()
