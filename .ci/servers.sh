# A PostgreSQL, a MariaDB, a Redis and a RabbitMQ: those that answer on this machine, else throwaway
# ones that end with us. POSTGRES_URL, MARIADB_URL, REDIS_URL and AMQP_URL name them; the tests make
# databases and queues of their own.

POSTGRES_URL=${POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres}
MARIADB_URL=${MARIADB_URL:-mysql://root@127.0.0.1:3306/mysql}
export REDIS_URL=${REDIS_URL:-redis://127.0.0.1:6379/0}
export AMQP_URL=${AMQP_URL:-amqp://guest:guest@127.0.0.1:5672//}
SERVERS=() # SIGNAL:PID
SERVER_FOLDERS=()

find_servers() { # find_servers PYTHON
    local python=$1
    "$python" .ci/reachable.py "$POSTGRES_URL" || start_postgres "$python" || return 1
    "$python" .ci/reachable.py "$MARIADB_URL" || start_mariadb "$python" || return 1
    "$python" .ci/reachable.py "$REDIS_URL" || start_redis "$python" || return 1
    "$python" .ci/reachable.py "$AMQP_URL" || start_rabbitmq "$python"
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

start_redis() {
    local python=$1 port folder user
    command -v redis-server >/dev/null || install_packages redis-server || return 1
    port=$(free_port "$python")
    folder=$(server_folder redis)
    user=$(as_user redis)
    SERVER_FOLDERS+=("$folder")
    $user redis-server --dir "$folder" --bind 127.0.0.1 --port "$port" --save '' >"$folder/log" 2>&1 &
    SERVERS+=("TERM:$!")
    REDIS_URL=redis://127.0.0.1:$port/0
    await_server "$python" "$REDIS_URL" "$folder/log"
}

start_rabbitmq() { # its port mapper is ours too: the one that it would start stays behind
    local python=$1 port folder user mapper binaries=/usr/lib/rabbitmq/bin
    [ -x "$binaries/rabbitmq-server" ] || install_packages rabbitmq-server || return 1
    port=$(free_port "$python")
    folder=$(server_folder rabbitmq)
    user="$(as_user rabbitmq) env HOME=$folder ERL_EPMD_PORT=$(free_port "$python")"
    SERVER_FOLDERS+=("$folder")
    $user epmd >"$folder/mapper" 2>&1 &
    mapper=$!
    echo "listeners.tcp.1 = 127.0.0.1:$port" >"$folder/rabbitmq.conf"
    $user RABBITMQ_NODENAME="ci$$@localhost" RABBITMQ_DIST_PORT="$(free_port "$python")" \
        RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOGS=- RABBITMQ_CONF_ENV_FILE=/dev/null \
        RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_CONFIG_FILES="$folder/none" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins" \
        bash -c "cd $folder && exec $binaries/rabbitmq-server" >"$folder/log" 2>&1 &
    SERVERS+=("TERM:$!" "TERM:$mapper")
    AMQP_URL=amqp://guest:guest@127.0.0.1:$port//
    await_server "$python" "$AMQP_URL" "$folder/log"
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
