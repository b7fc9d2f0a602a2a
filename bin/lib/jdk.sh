# Finding Java, for the scripts of this project. To be sourced.
# shellcheck shell=bash

readonly JAVA_LEAST=17

# Prints the major version of a Java home; fails if there is none in it.
java_major() {
  local home=$1 line version=''
  [[ -x $home/bin/java ]] || return 1
  if [[ -r $home/release ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      if [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]]; then
        version=${BASH_REMATCH[1]}
      fi
    done <"$home/release"
  fi
  if [[ -z $version ]]; then
    line=$("$home/bin/java" -version 2>&1) || return 1
    [[ $line =~ version\ \"([0-9]+) ]] || return 1
    version=${BASH_REMATCH[1]}
  fi
  printf '%s\n' "$version"
}

# newest_java <program>: prints the newest Java home of 17 or later that has bin/<program> (java or javac). Of two with the
# same version the first wins: JAVA_HOME, then PATH, then /usr/lib/jvm (AGENTPIPE_JVM_DIR in its place is for tests).
newest_java() {
  local program=$1 home major best='' best_major=$((JAVA_LEAST - 1)) on_path candidates=()
  [[ -n ${JAVA_HOME:-} ]] && candidates+=("$JAVA_HOME")
  if on_path=$(command -v "$program"); then
    on_path=$(readlink -f -- "$on_path")
    candidates+=("$(dirname -- "$(dirname -- "$on_path")")")
  fi
  candidates+=("${AGENTPIPE_JVM_DIR:-/usr/lib/jvm}"/*)
  for home in "${candidates[@]}"; do
    [[ -x $home/bin/$program ]] || continue
    major=$(java_major "$home") || continue
    if ((major > best_major)); then
      best=$home
      best_major=$major
    fi
  done
  [[ -n $best ]] && printf '%s\n' "$best"
}

# idle_options <Java home>: prints what makes a Java that idles give memory back: that of the heap after 10 to 20 s without a
# collection, and what the compilers have freed. The latter is not known to all versions, which would refuse to start.
idle_options() {
  local release=''
  [[ ! -r $1/release ]] || release=$(<"$1/release")
  printf '%s' -XX:G1PeriodicGCInterval=10000
  if [[ $release =~ JAVA_VERSION=\"17\.0\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 15)) ||
    (($(java_major "$1") >= 22)); then
    printf '%s' ' -XX:TrimNativeHeapInterval=10000'
  fi
}
