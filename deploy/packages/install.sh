#!/bin/sh
# The offline bundle: installs, or upgrades, the edge agent on a machine without network and without dpkg.
# Run as root in the unpacked folder. The same layout and the same switch as the Debian package.
set -eu
cd "$(dirname "$0")"
version=$(cat dist/VERSION)
dist/bin/starts-here || {
    echo "this machine lacks what the bundle needs: see above" >&2
    exit 1
}
mkdir -p /opt/plantledger-agent /usr/share/doc/plantledger-agent
cp plantledger-agent /usr/sbin/plantledger-agent.new
mv /usr/sbin/plantledger-agent.new /usr/sbin/plantledger-agent
cp agent.yaml.example operations.md /usr/share/doc/plantledger-agent/
if [ -d /etc/systemd/system ]; then cp plantledger-agent.service /etc/systemd/system/; fi
rm -rf "/opt/plantledger-agent/dist"
mkdir -p /opt/plantledger-agent/dist
cp -a dist "/opt/plantledger-agent/dist/$version"
ln -sfn ../../opt/plantledger-agent/current/bin/edge-agent /usr/bin/edge-agent
sh ./postinst configure
