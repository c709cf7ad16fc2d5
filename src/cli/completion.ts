import type { Command } from '../core/command.ts'
import { commonFlags, fieldsOf, kebab } from './flags.ts'
import { byNoun } from './help.ts'
import { verbs } from './verbs/index.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Words that may come after other words: '' is the start, 'runs' its verbs, 'runs list' its flags. */
type Words = Map<string, string[]>

/** A script that completes nouns, verbs and flags; files wherever no word fits. It asks no process while it completes. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const words = wordsOf(commands)
  if (shell === 'fish') return fish(words)
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}` : bash(words)
}

function wordsOf(commands: readonly Command[]): Words {
  const words: Words = new Map()
  const nouns = byNoun(commands)
  const [alone, beside] = [
    verbs.filter(({ name }) => !name.includes(' ')),
    verbs.filter(({ name }) => name.includes(' ')),
  ]
  words.set('', [...alone.map(({ name }) => name), ...nouns.keys(), 'help'])
  for (const verb of alone) if (verb.words) words.set(verb.name, [...verb.words])
  words.set('completion', [...shells])
  for (const [noun, members] of nouns) {
    const own = beside.filter(({ name }) => name.startsWith(`${noun} `)).map(({ name }) => name.slice(noun.length + 1))
    words.set(noun, [...new Set([...members.map(({ verb }) => kebab(verb)), ...own])])
  }
  for (const command of commands) words.set(`${command.noun} ${kebab(command.verb)}`, flagsOf(command))
  return words
}

function flagsOf(command: Command): string[] {
  const own = fieldsOf(command).map(({ flag }) => `--${flag}`)
  const common = Object.keys(commonFlags).map((flag) => `--${flag}`)
  return [...new Set([...own, ...common, '--help'])]
}

/** Names are a-z, 0-9 and dashes, so they need no quoting beyond the list's own. */
function bash(words: Words): string {
  const cases = [...words].map(([before, after]) => `    '${before}') words='${after.join(' ')}' ;;`)
  return `_molar() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words='' before=''
  if [ "$COMP_CWORD" -ge 2 ]; then before="\${COMP_WORDS[1]}"; fi
  if [ "$COMP_CWORD" -ge 3 ]; then before="$before \${COMP_WORDS[2]}"; fi
  case "$before" in
${cases.join('\n')}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -o default -o bashdefault -F _molar molar guard molecule
`
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([before, after]) =>
    after.map((word) => `complete -c molar -n '${fishCondition(before)}' ${fishWord(word)}`),
  )
  return `function __molar_after
    set -l words (commandline -opc)[2..-1]
    test "$words[1..(math min 2,(count $words))]" = "$argv"
end
${lines.join('\n')}
`
}

const fishCondition = (before: string): string => (before === '' ? '__fish_use_subcommand' : `__molar_after ${before}`)
const fishWord = (word: string): string => (word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`)
