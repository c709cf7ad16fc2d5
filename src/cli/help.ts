import type { Command } from '../core/command.ts'
import { kebab } from './flags.ts'
import { type Channel, fit } from './terminal.ts'
import { verbs } from './verbs/index.ts'

/** `molar --help`: where to start, what there is, how to go on. */
export function printHelp(commands: readonly Command[], version: string, out: Channel): void {
  const { bold, dim } = out.paint
  const width = Math.min(out.width, 110)
  const row = (name: string, text: string) => out.line(`  ${bold(name.padEnd(16))}${fit(text, width - 18)}`)
  out.line(`${bold('molar')} ${version} ${dim('prove that a web application works')}`)
  for (const [group, title] of [
    ['start', 'Start here'],
    ['upkeep', 'Upkeep'],
  ] as const) {
    if (group === 'upkeep') {
      out.line(`\n${dim('Everything by its noun')}`)
      for (const [noun, members] of byNoun(commands)) row(noun, members.map(({ verb }) => kebab(verb)).join(', '))
    }
    out.line(`\n${dim(title)}`)
    for (const verb of verbs) if (verb.group === group) row(verb.name, verb.summary)
  }
  out.line(`\nmolar <noun> <verb> [arguments] [--json]   ${dim('molar <noun> --help says more')}`)
}

/** `molar runs --help`. */
export function printNounHelp(noun: string, commands: readonly Command[], out: Channel): void {
  const { bold, dim } = out.paint
  out.line(`${dim('Usage:')} molar ${noun} <verb> [arguments] [--json]\n`)
  const beside = verbs.filter(({ name }) => name.startsWith(`${noun} `))
  const members = [
    ...commands.filter((command) => command.noun === noun),
    ...beside.map(({ name, summary }) => ({ verb: name.slice(noun.length + 1), summary })),
  ]
  const wide = Math.max(...members.map(({ verb }) => kebab(verb).length)) + 2
  const room = Math.min(out.width, 110) - wide - 2
  for (const { verb, summary } of members) {
    const [first = summary] = /^.*?[.:](?=\s|$)/.exec(summary) ?? []
    out.line(`  ${bold(kebab(verb).padEnd(wide))}${fit(first.replace(/:$/, '.'), room)}`)
  }
  out.line(`\n${dim(`molar ${noun} <verb> --help says more`)}`)
}

/** Nouns in the order of the registry. */
export function byNoun(commands: readonly Command[]): Map<string, Command[]> {
  const found = new Map<string, Command[]>()
  for (const command of commands) found.set(command.noun, [...(found.get(command.noun) ?? []), command])
  return found
}
