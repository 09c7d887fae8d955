# What is run on what: the README's commands, the linters, and the tests on every database with the
# oldest and the newest versions that we support.

VENVS=.ci-venv
CELL_LIMIT=20m
EVERYWHERE='not postgres and not mariadb'
ON_POSTGRES='(database or postgres) and not mariadb and not browser'
ON_MARIADB='(database or mariadb) and not postgres and not browser'
# What depends on the database and on Django at once; the newest row runs everything on every database.
MONEY_TESTS=(tests/laws tests/operations tests/reconciliation tests/models tests/management tests/integrations
    tests/crashes tests/fault_matrix)

# As a newcomer has it, on the newest Python: this is also the newest row on SQLite, but for what
# a newcomer need not have.
readme_steps() {
    local path
    path=$(dirname "$(readlink -f "$(newest_python)")"):$PATH
    is_wanted readme || return 0
    PATH=$path step 'README: the tests' bash -c "$(readme_command 2)" || true
    PATH=$path step 'README: the demo' bash -c "$(readme_command 1) --exit" || true
}

readme_command() {
    "$(newest_python)" .ci/readme_commands.py "$1"
}

static_steps() {
    local bin=$VENVS/dev/bin
    is_wanted static || return 0
    step 'tools' make_venv "$VENVS/dev" "$(newest_python)" -e '.[dev]' || return 0
    step 'ruff check' "$bin/ruff" check . || true
    step 'ruff format' "$bin/ruff" format --check . || true
    step 'mypy' "$bin/mypy" || true
    step 'imports point down only' "$bin/lint-imports" || true
    step 'no migration is missing' "$bin/python" manage.py makemigrations --check --dry-run || true
    step 'manage.py check' "$bin/python" manage.py check --fail-level INFO || true
    step 'the package' "$bin/python" -m pytest -q -n 2 tests/test_packaging.py || true
}

matrix_steps() {
    export MEDUSA_CI=1
    install_browser
    install_sdk
    matrix_row oldest 3.11 'django==5.2' sqlite postgres mariadb
    matrix_row middle 3.12 'django>=6.0,<6.1' sqlite
    matrix_row newest 3.13 'django>=6.1' sqlite postgres mariadb
}

matrix_row() { # matrix_row NAME PYTHON DJANGO DATABASE...
    local name=$1 version=$2 django=$3 venv=$VENVS/$1 constraints=() database
    shift 3
    is_row_wanted "$name" || return 0
    if [ -z "${PYTHONS[$version]:-}" ]; then
        not_run "$name" "no Python $version on this machine"
        return 0
    fi
    if [ "$name" = oldest ]; then
        mkdir -p "$VENVS"
        "${PYTHONS[$version]}" .ci/floors.py >"$VENVS/floors.txt"
        constraints=(-c "$VENVS/floors.txt")
    fi
    step "$name: Python $version, $django" make_venv "$venv" "${PYTHONS[$version]}" \
        "${constraints[@]}" -e '.[test,postgres,mysql]' "$django" || return 0
    step "$name: servers" find_servers "$venv/bin/python" || return 0
    for database in "$@"; do
        case $name-$database in
            middle-*) cell "$name-$database" "$venv" "$database" 'not slow and database' 2 ;;
            oldest-postgres | oldest-mariadb)
                cell "$name-$database" "$venv" "$database" 'not slow' 2 "${MONEY_TESTS[@]}"
                ;;
            newest-sqlite) cell newest-browser "$venv" sqlite 'not slow and browser' 2 ;;
            *) cell "$name-$database" "$venv" "$database" 'not slow' 2 ;;
        esac
        # The slow ones mostly wait for time to pass.
        # All cells of the fault matrix run on SQLite and PostgreSQL, a part of them everywhere.
        case $name-$database in
            newest-mariadb) cell newest-mariadb-slow "$venv" mariadb 'slow and not all_cells' 4 ;;
            newest-*) cell "$name-$database-slow" "$venv" "$database" slow 4 ;;
        esac
    done
}

cell() { # cell NAME VENV DATABASE TESTS WORKERS [FOLDER...]
    local url='' tests=$EVERYWHERE
    is_wanted "$1" || return 0
    case $3 in
        postgres) url=$POSTGRES_URL tests=$ON_POSTGRES ;;
        mariadb) url=$MARIADB_URL tests=$ON_MARIADB ;;
    esac
    DATABASE_URL=$url step "$1" timeout "$CELL_LIMIT" \
        "$2/bin/python" -m pytest -q -n "$5" --dist loadgroup -p no:cacheprovider -m "$tests and $4" "${@:6}" || true
}

install_browser() {
    [ -x /usr/bin/chromium ] || step 'install Chromium' install_packages chromium || true
}

install_sdk() {
    command -v npm >/dev/null || step 'install Node' install_packages nodejs npm || return 0
    step "install Medusa's SDK" npm --prefix tests/js_sdk ci --ignore-scripts --no-audit --no-fund || true
}

is_row_wanted() {
    [ -z "${MEDUSA_CI_CELLS:-}" ] || [[ " $MEDUSA_CI_CELLS" == *" $1-"* ]]
}

is_wanted() {
    [ -z "${MEDUSA_CI_CELLS:-}" ] || [[ " $MEDUSA_CI_CELLS " == *" $1 "* ]]
}
