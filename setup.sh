# Sourced by ./run and ./check: a virtual environment in .venv, made once and again when the dependencies change.

find_python() {
  for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  echo "roost needs Python 3.11 or later; none was found on the PATH" >&2
  return 1
}

# set_up FOLDER STAMP WHAT: install WHAT (`.` or `.[dev]`) of FOLDER unless the stamp says that it is there.
set_up() {
  _wanted=$(cat "$1/pyproject.toml" "$1/constraints.txt" | cksum)
  _stamp="$1/.venv/.$2"
  if [ -x "$1/.venv/bin/python" ] && [ "$(cat "$_stamp" 2>/dev/null)" = "$_wanted" ]; then
    return
  fi
  _python=$(find_python)
  echo "setting up roost in $1/.venv with $("$_python" --version) (once, about a minute)" >&2
  if [ ! -x "$1/.venv/bin/python" ] && ! "$_python" -m venv "$1/.venv"; then
    rm -rf "$1/.venv"
    echo "this Python cannot make virtual environments: on Debian and Ubuntu install python3-venv" >&2
    return 1
  fi
  (cd "$1" && .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "$3")
  echo "$_wanted" >"$_stamp"
}
