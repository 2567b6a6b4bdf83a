# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Completion of dispatcherctl for bash.

# _dispatcherctl_list VERB COLUMN: that column of the first table of VERB, from the daemon that
# --socket names on this line. Nothing where it does not run.
_dispatcherctl_list()
{
    local socket=() i
    for ((i = 1; i < ${#COMP_WORDS[@]}; i++)); do
        if [[ ${COMP_WORDS[i]} == --socket && ${COMP_WORDS[i + 1]-} == '=' ]]; then
            socket=(--socket "${COMP_WORDS[i + 2]-}")
        elif [[ ${COMP_WORDS[i]} == --socket ]]; then
            socket=(--socket "${COMP_WORDS[i + 1]-}")
        fi
    done
    "${COMP_WORDS[0]}" "${socket[@]}" --timeout 2 "$1" 2>/dev/null |
        awk -v column="$2" '!NF { exit } NR > 1 { print $column }'
}

_dispatcherctl_services()
{
    _dispatcherctl_list services 1
}

# The processes of the workers.
_dispatcherctl_workers()
{
    _dispatcherctl_list workers 3 | grep -v '^-$'
}

# The first word that is neither an option nor the value of one; only words before the one that is
# completed count.
_dispatcherctl_verb()
{
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket | --host | --timeout | --mappings | --from | --server | --port | --callouts | --config | --sweep | --svg | --worker | --client | --state | --user | \
            --older | --waited | --sort | --limit | --top)
            [[ ${COMP_WORDS[i + 1]-} == '=' ]] && ((i++))
            ((i++))
            ;;
        -* | =) ;;
        *)
            echo "${COMP_WORDS[i]}"
            return
            ;;
        esac
    done
}

_dispatcherctl()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local options='--socket --host --json --timeout --worker --client --state --user --older --waited --sort --limit --top
        --mappings --from --server --port --callouts --config --sweep --svg --help --version'
    local states='waiting hand-off active passed-on ended broken gone rejected unserved failed sent-away'
    local fields='age client ended queued service state user waited worker'
    local verbs='status services workers connections history clients explain events top debug stop start restart reload
        plan apply bridge test-access import simulate'
    local words='' verb

    [[ $current == '=' ]] && current=''
    [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
    COMPREPLY=()
    case $previous in
    --socket | --mappings | --config | --svg)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --worker)
        mapfile -t COMPREPLY < <(compgen -W "$(_dispatcherctl_workers)" -- "$current")
        return
        ;;
    --host)
        # The hosts that ssh knows, where bash-completion can tell.
        if declare -F _known_hosts_real >/dev/null; then _known_hosts_real -- "$current"; fi
        return
        ;;
    --timeout | --server | --port | --sweep | --client | --user | --older | --waited | --limit | --top) return ;;
    --state)
        mapfile -t COMPREPLY < <(compgen -W "$states" -- "$current")
        return
        ;;
    --sort)
        # The other way round, where that was begun.
        [[ $current == -* ]] && fields="-${fields// / -}"
        mapfile -t COMPREPLY < <(compgen -W "$fields" -- "$current")
        return
        ;;
    --from)
        mapfile -t COMPREPLY < <(compgen -W 'dispatcher.cnf xinetd inetd master.cf' -- "$current")
        return
        ;;
    --callouts)
        mapfile -t COMPREPLY < <(compgen -W 'fail succeed' -- "$current")
        return
        ;;
    esac
    verb=$(_dispatcherctl_verb)
    case $verb in
    '') words=$verbs ;;
    debug)
        words=default
        [[ $previous == "$verb" ]] && words="$(_dispatcherctl_services) DISPATCHER default"
        ;;
    explain)
        # After the address.
        [[ ${COMP_WORDS[COMP_CWORD - 2]} == "$verb" ]] && words=$(_dispatcherctl_services)
        ;;
    import | simulate)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    workers | connections | history | clients | events | stop | start | restart)
        [[ $previous == "$verb" ]] && words=$(_dispatcherctl_services)
        ;;
    esac
    [[ $current == -* ]] && words=$options
    # In whatever case a name is begun.
    mapfile -t COMPREPLY < <(
        shopt -s nocasematch
        for word in $words; do
            [[ $word == "$current"* ]] && echo "$word"
        done
    )
}

complete -F _dispatcherctl dispatcherctl
