# An archive of the classes that a server loads (class data sharing; from Java 25 on an AOT cache), with which a start takes a
# third of the time. It is made by a server that runs for some seconds in a folder of its own. Java ignores an archive of
# another Java or jar by itself, but crashes with one that was cut off: its size is in its name. To be sourced after jdk.sh.
# shellcheck shell=bash

# archive_stem <jar> <Java home>: prints folder and first part of the name of the archive for these two: beside the jar, else
# in a cache folder of the user's own. Prints nothing if there is no place for it, or the user has options of that kind.
archive_stem() {
  local jar=$1 home=$2 key stem folder=${1%/*} cache=${CACHE_DIRECTORY:-${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}}
  [[ ! "${JDK_JAVA_OPTIONS:-} ${JAVA_TOOL_OPTIONS:-}" =~ -Xshare|-XX:[+]?(Shared|Archive|AutoCreateShared|AOT) ]] || return 0
  key=$(identities "$jar" "$home"/lib/server/libjvm.* | cksum) || return 0
  stem=${jar##*/}
  stem=${stem%.jar}-${key%% *}
  if [[ -z $(find_archive "$folder/$stem") && ! -w $folder ]]; then
    folder=${cache%%:*}/agentpipe-server
    # What lies in an archive is run: no folder of anybody else's.
    [[ -n $cache && (! -e $folder || -O $folder) ]] || return 0
  fi
  printf '%s' "$folder/$stem"
}

# Path, size and time of files; the first is GNU's way, the second that of macOS.
identities() {
  stat -L -c '%n %s %Y' -- "$@" 2>/dev/null || stat -L -f '%N %z %m' -- "$@" 2>/dev/null
}

# find_archive <stem>: prints the archive, if there is one. An empty one means that none can be made here.
find_archive() {
  local file bytes
  for file in "$1".*.archive; do
    bytes=${file%.archive}
    bytes=${bytes##*.}
    if [[ -f $file && -n $(find "$file" -size "${bytes}c") ]]; then
      printf '%s' "$file"
      return
    fi
  done
}

# make_archive <jar> <Java home> <stem>
make_archive() {
  local jar=$1 home=$2 stem=$3 work=$3.making option=-XX:ArchiveClassesAtExit status=0 bytes old options=()
  (($(java_major "$home") < 25)) || option=-XX:AOTCacheOutput
  mkdir -p -- "${stem%/*}" 2>/dev/null || return 0
  # The folder is also the lock. One that was killed leaves it behind.
  find "$work" -maxdepth 0 -mmin +5 -exec rm -rf -- {} + 2>/dev/null || true
  mkdir -- "$work" 2>/dev/null || return 0
  env -u JDK_JAVA_OPTIONS -u JAVA_TOOL_OPTIONS nice -n 10 "$home/bin/java" "$option=$work/archive" \
    -jar "$jar" train "$work/data" </dev/null >"$work/log" 2>&1 || status=$?
  use_archive "$home" "$work/archive"
  if ((status > 128)); then
    rm -rf -- "$work" # killed: another start may have more luck
    return 0
  elif ((status != 0)) || ! "$home/bin/java" "${options[@]}" -jar "$jar" version </dev/null >>"$work/log" 2>&1; then
    : >"$work/archive"
  fi
  bytes=$(($(wc -c <"$work/archive")))
  sync -- "$work/archive" 2>/dev/null || true
  for old in "${stem%/*}"/agentpipe-server-*.archive; do
    [[ $old -nt $jar && $old != "$stem".* ]] || rm -f -- "$old"
  done
  mv -f -- "$work/archive" "$stem.$bytes.archive" || true
  rm -rf -- "$work"
}

# use_archive <Java home> <archive>: adds to the array "options" what makes Java use it, and be silent if it does not fit. At
# a random address (mode 1) every page would be changed, and be memory of this process alone: 30 MB.
use_archive() {
  options+=(-XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0)
  if (($(java_major "$1") < 25)); then
    options+=("-XX:SharedArchiveFile=$2" '-Xlog:cds*=off')
  else
    options+=("-XX:AOTCache=$2" '-Xlog:cds*=off' '-Xlog:aot*=off')
  fi
}
