import { stat } from 'node:fs/promises'
import { Option } from 'commander'
import { fail } from '../../core/errors.ts'
import { calledAs } from '../called.ts'
import type { Verb } from '../cli.ts'
import { type EditorName, editorNames, editors, findEditors } from '../init/editors.ts'
import { initProject, type Outcome } from '../init/write.ts'
import { printJson } from '../print/answer.ts'
import type { Channel } from '../terminal.ts'

/** `molar init [folder]`: a project's first files and its editors' MCP entry. Run again, it changes nothing. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('[folder]', 'The project; this folder unless told')
      .option('--base-url <url>', 'Where the application runs; http://localhost:3000 unless told')
      .addOption(
        new Option('--editor <name>', 'Also for an editor that is not found here')
          .choices([...editorNames])
          .argParser((value: string, before: string[] | undefined) => {
            if (!editorNames.some((name) => name === value))
              fail('bad_request', `--editor is "${value}": it takes ${editorNames.join(', ')}.`)
            return [...(before ?? []), value]
          }),
      )
      .option('--json', 'What was done, as one JSON document')
  },
  async run({ args: [folder = '.'], options }, cli) {
    const found = await stat(folder).catch(() => undefined)
    if (!found?.isDirectory()) fail('bad_request', `There is no folder ${folder}.`)
    const baseUrl = readBaseUrl(options.baseUrl)
    const asked = Array.isArray(options.editor) ? (options.editor as EditorName[]) : []
    const names = [...new Set([...findEditors(folder), ...asked])]
    const outcomes = await initProject(folder, { baseUrl, editors: names })
    if (cli.json) printJson({ files: outcomes }, cli.terminal)
    else print(outcomes, names, cli.terminal.out, calledAs(cli.environment))
    return outcomes.some(({ status }) => status === 'by_hand') ? 2 : 0
  },
}

function readBaseUrl(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (['http:', 'https:'].includes(URL.parse(value)?.protocol ?? '')) return value
  return fail('bad_request', `--base-url is "${value}": it takes an http or https URL.`)
}

function print(outcomes: readonly Outcome[], names: readonly EditorName[], out: Channel, called: string): void {
  const { green, dim, yellow, bold } = out.paint
  for (const { path, status, why } of outcomes) {
    const mark = status === 'by_hand' ? yellow('!') : status === 'kept' ? dim('–') : green('✓')
    const verb = { written: 'written', extended: 'extended', kept: 'was there, and stays', by_hand: 'left alone' }[
      status
    ]
    out.line(`${mark} ${path} ${dim(`${verb}: it ${why}`)}`)
  }
  if (names.length === 0) {
    out.line(
      `\nNo editor was found. For its MCP settings: ${JSON.stringify(editors.claude.entry)}, or ${called} init --editor ${editorNames.join('|')}.`,
    )
  }
  out.line(`\nNext: ${bold(`${called} doctor`)}, then ${bold(`${called} run`)}.`)
}
