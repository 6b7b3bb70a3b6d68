# Sourced by the other scripts: makes .venv from a bare Python 3.11 to 3.14 and puts it first on PATH.
# Usage: . scripts/environment.sh [EXTRAS], e.g. "test". PYTHON names another interpreter, VENV another folder.

# Windows has no file locks as the ledger needs them. Its shells with a POSIX layer are no help: their Python has none either.
need_posix() {
    case "$(uname -s)" in
        MINGW* | MSYS* | CYGWIN*)
            echo "Windows is not supported: Episode Ledger needs a POSIX system such as Linux. Run this in WSL." >&2
            return 1
            ;;
    esac
}

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.11 to 3.14 was found. Install one, or name it: PYTHON=/path/to/python3.14 $0" >&2
    return 1
}

make_venv() {
    "$1" -m venv "$VENV" 2>/dev/null && return
    rm -rf "$VENV"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Python's venv module is missing; installing python3-venv" >&2
        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && "$1" -m venv "$VENV" && return
    fi
    echo "A virtual environment could not be made. On Debian: apt-get install python3-venv" >&2
    return 1
}

# The tests open pages in a real browser: for root on Debian it is installed, anybody else is told. Chromium's headless shell
# is the same engine without the desk around it, and opens a window in a quarter of the time: it comes first.
need_chromium() {
    local found="" name
    for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null && found="$name" && break
    done
    [ "$found" = chromium-headless-shell ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Chromium's headless shell is missing; installing it for the tests" >&2
        [ -n "$found" ] || apt-get update -qq || true # who has a Chromium does not wait for servers that may be out of reach
        apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1 && return
        [ -n "$found" ] || apt-get install -y -qq --no-install-recommends chromium >/dev/null && return
    fi
    [ -n "$found" ] && return
    echo "The tests need Chromium and it was not found. On Debian: apt-get install chromium-headless-shell" >&2
    return 1
}

need_compiler() {
    command -v gcc >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "A C compiler is missing; installing it for the fire tests" >&2
        apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev >/dev/null && return
    fi
    echo "The fire tests need a C compiler (for tests/fire/shim.c). On Debian: apt-get install gcc libc6-dev" >&2
    return 1
}

# Spark runs on it.
need_java() {
    command -v java >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Java is missing; installing it for the tests of Spark" >&2
        apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null && return
    fi
    echo "The tests of Spark need Java 17 and it was not found. On Debian: apt-get install openjdk-17-jre-headless" >&2
    return 1
}

need_posix
VENV=${VENV:-.venv}
EXTRAS=${1:-}
wanted="$(cat pyproject.toml constraints.txt | cksum) $EXTRAS"
if [ ! -x "$VENV/bin/python" ] || [ "$(cat "$VENV/installed-$EXTRAS" 2>/dev/null)" != "$wanted" ]; then
    interpreter=$(find_python)
    [ -x "$VENV/bin/python" ] || make_venv "$interpreter"
    echo "Installing episode-ledger into $VENV" >&2
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt --editable ".${EXTRAS:+[$EXTRAS]}"
    echo "$wanted" >"$VENV/installed-$EXTRAS"
fi
VENV=$(cd "$VENV" && pwd)
PATH="$VENV/bin:$PATH"
export PATH
