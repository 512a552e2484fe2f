# Completion of vyoma(1) for bash: sourced by bash-completion, or by hand.

_vyoma() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local common='--json --quiet --help' words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            'new build run check inspect hash bridge sdk version help --help --version' -- "$cur")
        return
    fi
    case $prev in
    --grant|-g)
        words='stdio filesystem display mouse shell status network ipc gpio i2c spi uart adc'
        mapfile -t COMPREPLY < <(compgen -W "$words network.ports= network.connect= ipc.send=" \
            -- "$cur")
        return ;;
    --deny|-d)
        words='stdio filesystem display mouse shell status network ipc gpio i2c spi uart adc'
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return ;;
    --template|-t)
        if [ "$command" = new ]; then
            mapfile -t COMPREPLY < <(compgen -W 'hello server messages files' -- "$cur")
            return
        fi ;;
    --tier|-r)
        mapfile -t COMPREPLY < <(compgen -W 'interp baseline' -- "$cur")
        return ;;
    --data|-D|--apps|-a)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return ;;
    esac
    case $command in
    new) words='--template --dry-run' ;;
    build) words='--output --debug --verbose' ;;
    bridge) words='--apps --port --listen' ;;
    run) words='--grant --deny --env --apps --data --audit --fuel --timeout --trace --tier --unhardened --no-build' ;;
    help) words='new build run check inspect hash bridge sdk version' ;;
    esac
    if [[ $cur == -* || $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words $common" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _vyoma vyoma
