# Sourced by gridstride, .ci/run and scripts/format: sets jdk to the home of a JDK 25.
# Order: JAVA25_HOME, JAVA_HOME, the java on PATH, the folders where installers put JDKs.
# shellcheck shell=sh

# is_jdk25 DIR: reads DIR/release instead of starting java, which would cost 50 ms a candidate.
is_jdk25() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      'JAVA_VERSION="25"'* | 'JAVA_VERSION="25.'* | 'JAVA_VERSION="25-'*) return 0 ;;
    esac
  done < "$1/release"
  return 1
}

find_jdk25() {
  for jdk in "${JAVA25_HOME:-}" "${JAVA_HOME:-}"; do
    [ -n "$jdk" ] && is_jdk25 "$jdk" && return 0
  done
  jdk=$(command -v java 2> /dev/null) && jdk=$(readlink -f "$jdk" 2> /dev/null) &&
    jdk=${jdk%/bin/java} && is_jdk25 "$jdk" && return 0
  for jdk in /usr/lib/jvm/* /usr/java/* /usr/local/openjdk* /opt/* /opt/java/* \
    "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* "${HOME:-}"/jdks/* \
    "${HOME:-}"/.asdf/installs/java/* "${HOME:-}"/.local/share/mise/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "${HOME:-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home; do
    is_jdk25 "$jdk" && return 0
  done
  jdk=
  return 1
}

find_jdk25 || {
  echo "${0##*/}: needs a JDK 25 and found none: install one (for example Eclipse Temurin 25)" \
    "or set JAVA25_HOME to its folder." >&2
  exit 1
}
