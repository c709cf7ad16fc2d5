import { type Channel, fit, oneLine } from '../terminal.ts'

/** Lines that tell how something goes on: each keyed line is rewritten in place where someone watches. */
export interface Progress {
  tell(key: string, text: string): void
  /** Takes the moving lines away; what was told in a pipe stays. */
  end(): void
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
/** More moving lines than this scroll away on a small terminal, and could not be rewritten. */
const mostLines = 12

export const makeProgress = (channel: Channel): Progress =>
  channel.live ? livingProgress(channel) : plainProgress(channel)

/** A line each time something new is said. */
function plainProgress(channel: Channel): Progress {
  const said = new Map<string, string>()
  return {
    tell(key, text) {
      const line = oneLine(text)
      if (line === '' || said.get(key) === line) return
      said.set(key, line)
      channel.line(line)
    },
    end() {},
  }
}

function livingProgress(channel: Channel): Progress {
  const lines = new Map<string, string>()
  let drawn = 0
  let frame = 0
  const erase = () => {
    if (drawn > 0) channel.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  const draw = () => {
    const spin = channel.paint.cyan(frames[frame++ % frames.length] ?? '')
    const shown = [...lines.values()].slice(-mostLines)
    const up = drawn > 0 ? `\u001b[${drawn}A` : ''
    channel.write(up + shown.map((line) => `\u001b[2K${spin} ${fit(line, channel.width - 3)}\n`).join(''))
    drawn = shown.length
  }
  const timer = setInterval(draw, 100).unref()
  return {
    tell(key, text) {
      const line = oneLine(text)
      if (line === '') return
      const first = !lines.has(key)
      lines.set(key, line)
      if (first) draw()
    },
    end() {
      clearInterval(timer)
      erase()
    },
  }
}
