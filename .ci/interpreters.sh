# Which Pythons there are: pyenv's, then those on PATH. PYTHONS maps 3.11 to its path.

declare -A PYTHONS=()

find_interpreters() {
    local candidate version
    for candidate in $(pyenv_pythons) python3.11 python3.12 python3.13 python3; do
        version=$("$candidate" -c 'import ensurepip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case $version in
            3.11 | 3.12 | 3.13) : "${PYTHONS[$version]:=$(command -v "$candidate")}" ;;
        esac
    done
    if [ ${#PYTHONS[@]} -eq 0 ]; then
        echo 'No Python 3.11, 3.12 or 3.13 with venv was found.' >&2
        exit 1
    fi
}

pyenv_pythons() {
    if command -v pyenv >/dev/null; then
        ls "$(pyenv root)"/versions/*/bin/python 2>/dev/null || true
    fi
}

newest_python() {
    echo "${PYTHONS[3.13]:-${PYTHONS[3.12]:-${PYTHONS[3.11]}}}"
}

make_venv() { # make_venv FOLDER PYTHON PIP_ARGUMENT...
    local folder=$1 python=$2
    shift 2
    "$python" -m venv --clear "$folder" && "$folder/bin/python" -m pip install -q "$@"
}
