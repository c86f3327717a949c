# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of @PROGRAM@ for bash, made from the program's own tables; needs no other package.
#
# How a value is completed stands in `reply`: file, directory, port (of the running switch), user,
# group, choices separated by '|', or '-' for a value that nobody can guess; empty: no value.

# Options that go with a verb; '' is none yet.
@FUNCTION@_options() {
	case $1 in
@OPTIONS@
	esac
}

# An option with its dashes, or KEY= of a word.
@FUNCTION@_value() {
	case $1 in
@VALUES@
	*) reply= ;;
	esac
}

# VERB/NUMBER of a word after the verb.
@FUNCTION@_word() {
	case $1 in
@WORDS@
	*) reply=- ;;
	esac
}

# Names of the ports of the switch that the line speaks of; silent when none answers at once.
@FUNCTION@_ports() {
	local line
	while IFS= read -r line; do
		[[ $line =~ ^'    "name": "'([^\"]*)'"' ]] && reply+="${BASH_REMATCH[1]}|"
	done < <(timeout 2 "${COMP_WORDS[0]/#\~\//$HOME/}" "${switch[@]}" --json --wait 0 list-ports \
		2>/dev/null </dev/null)
}

# KIND PREFIX BEGINNING: fills COMPREPLY with the values of that kind, each after the prefix.
@FUNCTION@_complete() {
	local candidate reply=$1 IFS='|'
	case $1 in
	file) compopt -o default ;;
	directory) compopt -o dirnames ;;
	esac
	case $1 in
	'' | - | file | directory) return ;;
	port) reply= && @FUNCTION@_ports ;;
	user) reply=$(compgen -u -- "$3" | tr '\n' '|') ;;
	group) reply=$(compgen -g -- "$3" | tr '\n' '|') ;;
	esac
	for candidate in $reply; do
		[[ $candidate == "$3"* ]] && COMPREPLY+=("$2$candidate")
	done
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

# Readline breaks words at '=' and ':'; this joins the pieces again, into words.
@FUNCTION@_join() {
	local piece open=''
	for piece in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ ${#words[@]} -gt 0 && ($open || $piece =~ ^[=:]+$) ]]; then
			words[-1]+=$piece
		else
			words+=("$piece")
		fi
		open=
		[[ $piece =~ ^[=:]+$ ]] && open=1
	done
}

# Where the switch is, for questions to it.
@FUNCTION@_switch() {
	local value=${2//[\\\"\']/}
	case $1 in
	--socket-dir | --control) switch=("$1" "${value/#\~\//$HOME/}") ;;
	esac
}

# Reads the whole words: sets verb, number (of words after it) and option (whose value comes next).
@FUNCTION@_read() {
	local word reply
	for word in "${words[@]:0:${#words[@]}-1}"; do
		if [[ $option ]]; then
			@FUNCTION@_switch "$option" "$word"
			option=
		elif [[ $word == -- ]]; then
			ended=1
		elif [[ $word == --*=* ]]; then
			@FUNCTION@_switch "${word%%=*}" "${word#*=}"
		elif [[ $word == -?* ]]; then
			@FUNCTION@_value "$word"
			option=${reply:+$word}
		elif [[ ! $verb ]]; then
			verb=$word
		else
			number=$((number + 1))
		fi
	done
}

@FUNCTION@() {
	local words=() switch=() verb='' option='' ended='' number=1 reply='' word i
	COMPREPLY=()
	@FUNCTION@_join
	@FUNCTION@_read
	[[ $ended ]] && return
	word=${words[-1]}
	if [[ $option ]]; then
		@FUNCTION@_value "$option"
		@FUNCTION@_complete "$reply" '' "$word"
		return
	elif [[ $word == -* && $word != *=* ]]; then
		@FUNCTION@_options "$verb"
		@FUNCTION@_complete "$reply" '' "$word"
	elif [[ $word == -* ]]; then
		@FUNCTION@_value "${word%%=*}"
		@FUNCTION@_complete "$reply" "${word%%=*}=" "${word#*=}"
	elif [[ ! $verb ]]; then
		@FUNCTION@_complete '@VERBS@' '' "$word"
	elif [[ $word == *=* ]]; then
		@FUNCTION@_value "${word%%=*}="
		@FUNCTION@_complete "$reply" "${word%%=*}=" "${word#*=}"
	else
		@FUNCTION@_word "$verb/$number"
		@FUNCTION@_complete "$reply" '' "$word"
	fi
	# where nothing else can stand, options can
	if [[ ! $word && ${#COMPREPLY[@]} -eq 0 && (! $reply || $reply == -) ]]; then
		@FUNCTION@_options "$verb"
		@FUNCTION@_complete "$reply" '' ''
	fi
	# readline replaces only what follows the last '=', where it breaks words at it
	if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then
		for i in "${!COMPREPLY[@]}"; do
			COMPREPLY[i]=${COMPREPLY[i]#"${word%"${word##*=}"}"}
		done
	fi
}

complete -F @FUNCTION@ @PROGRAM@
