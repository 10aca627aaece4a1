/** The completion script for bash. Our own: the one of @bomb.sh/tab 0.0.22 evaluates the words that were typed. */

export const BASH_SCRIPT = `# bash completion for tutti
_tutti() {
  local line=\${COMP_LINE:0:COMP_POINT} current word strip value rest
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  # Bash cuts words at = : and @ as well; what stands before the cut is not repeated in the answer.
  word=\${COMP_WORDS[COMP_CWORD]}
  if [[ $word == [=:@] ]]; then strip=$current; else strip=\${current%"$word"}; fi
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    case $value in
      :6) compopt -o nospace 2> /dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${value#"$strip"}") ;;
    esac
  done < <(command tutti complete -- "\${words[@]:1}" 2> /dev/null)
}
complete -F _tutti tutti
`
