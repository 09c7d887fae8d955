# A PostgreSQL and a MariaDB: those that answer on this machine, else throwaway ones that end with us.
# POSTGRES_URL and MARIADB_URL name them; the tests make databases of their own.

POSTGRES_URL=${POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres}
MARIADB_URL=${MARIADB_URL:-mysql://root@127.0.0.1:3306/mysql}
SERVERS=() # SIGNAL:PID
SERVER_FOLDERS=()

find_servers() { # find_servers PYTHON
    local python=$1
    "$python" .ci/reachable.py "$POSTGRES_URL" || start_postgres "$python" || return 1
    "$python" .ci/reachable.py "$MARIADB_URL" || start_mariadb "$python"
}

install_packages() {
    local elevate=
    [ "$(id -u)" -eq 0 ] || elevate=sudo
    $elevate apt-get update -qq && $elevate apt-get install -y -qq "$@" >/dev/null
}

start_postgres() {
    local python=$1 port folder binaries user
    ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1 || install_packages postgresql || return 1
    binaries=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    port=$(free_port "$python")
    folder=$(server_folder postgres)
    user=$(as_user postgres)
    SERVER_FOLDERS+=("$folder")
    $user "$binaries/initdb" -D "$folder/data" -U postgres -A trust >/dev/null || return 1
    $user "$binaries/postgres" -D "$folder/data" -h 127.0.0.1 -p "$port" -k "$folder" -c fsync=off \
        >"$folder/log" 2>&1 &
    SERVERS+=("INT:$!") # fast: does not wait for clients
    POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
    await_server "$python" "$POSTGRES_URL" "$folder/log"
}

start_mariadb() {
    local python=$1 port folder user
    PATH=$PATH:/usr/sbin
    command -v mariadbd >/dev/null || install_packages mariadb-server || return 1
    port=$(free_port "$python")
    folder=$(server_folder mysql)
    user=$(as_user mysql)
    SERVER_FOLDERS+=("$folder")
    $user mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null || return 1
    $user mariadbd --no-defaults --datadir="$folder/data" --bind-address=127.0.0.1 --port="$port" \
        --socket="$folder/socket" --innodb-flush-log-at-trx-commit=0 >"$folder/log" 2>&1 &
    SERVERS+=("TERM:$!")
    MARIADB_URL=mysql://root@127.0.0.1:$port/mysql
    await_server "$python" "$MARIADB_URL" "$folder/log"
}

server_folder() { # owned by the server's user
    local folder
    folder=$(mktemp -d)
    [ "$(id -u)" -ne 0 ] || chown "$1" "$folder"
    echo "$folder"
}

as_user() { # what runs a command as that user: neither server runs as root
    [ "$(id -u)" -ne 0 ] || echo "setpriv --reuid=$1 --regid=$1 --init-groups env HOME=/"
}

free_port() {
    "$1" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

await_server() { # await_server PYTHON URL LOG
    local waited
    for waited in $(seq 60); do
        "$1" .ci/reachable.py "$2" && return 0
        sleep 0.5
    done
    tail -n 20 "$3" >&2
    return 1
}

stop_servers() {
    local each
    for each in "${SERVERS[@]}"; do
        kill -s "${each%%:*}" "${each##*:}" 2>/dev/null || true
        wait "${each##*:}" 2>/dev/null || true
    done
    for each in "${SERVER_FOLDERS[@]}"; do
        rm -rf "$each"
    done
}
