# Steps that are run, timed and summed up. A step that fails does not stop those after it.

SUMMARY=()
FAILED=0

step() { # step NAME COMMAND [ARGUMENT...]
    local name=$1 started=$SECONDS result=passed line
    shift
    printf '\n=== %s\n' "$name"
    "$@" </dev/null || result=FAILED
    line=$(printf '%-8s %5ss  %s' "$result" $((SECONDS - started)) "$name")
    printf '=== %s\n' "$line"
    SUMMARY+=("$line")
    [ "$result" = passed ] || FAILED=1
    [ "$result" = passed ]
}

not_run() { # not_run NAME REASON
    SUMMARY+=("$(printf '%-8s %6s  %s: %s' 'not run' '' "$1" "$2")")
}

print_summary() {
    printf '\n=== Summary after %s s\n' "$SECONDS"
    printf '%s\n' "${SUMMARY[@]}"
    return "$FAILED"
}
