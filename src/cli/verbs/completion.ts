import { fail } from '../../core/errors.ts'
import type { Verb } from '../cli.ts'
import { completionScript, shells } from '../completion.ts'

/** `molar completion bash|zsh|fish` */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('[shell]', shells.join(', '))
      .addHelpText(
        'after',
        "\nPut this into your shell's start file:\n  bash, zsh: source <(molar completion bash)\n  fish:      molar completion fish | source",
      )
  },
  async run({ args: [shell] }, cli) {
    const known = shells.find((one) => one === shell)
    if (!known)
      fail(
        'bad_request',
        `${shell === undefined ? 'It needs a shell' : `"${shell}" is not a shell it knows`}: ${shells.join(', ')}.`,
      )
    cli.terminal.out.write(completionScript(known, await cli.commands()))
    return 0
  },
}
