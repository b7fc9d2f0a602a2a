# Reading a file of environment variables as systemd does, without running it. To be sourced.
# shellcheck shell=bash

# load_env_file <file>: exports what it sets. Lines NAME=VALUE; blank ones and those after # or ; are comments; one pair of
# quotes around a value goes. Fails, naming the line, if one is something else.
load_env_file() {
  local line name value number=0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    [[ -n $line && $line != [#\;]* ]] || continue
    if [[ ! $line =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]]; then
      printf '%s: line %d is not NAME=VALUE\n' "$1" "$number" >&2
      return 1
    fi
    name=${BASH_REMATCH[1]}
    value=${BASH_REMATCH[2]}
    if [[ ${#value} -ge 2 && (${value:0:1} == '"' || ${value:0:1} == "'") && ${value: -1} == "${value:0:1}" ]]; then
      value=${value:1:-1}
    fi
    export "$name=$value"
  done <"$1"
}
