import { connect } from 'node:net'

/** Streams of one run, as plain sockets: 2,000 parsers would be what is measured. Tells when all are open, then the delays. */

interface Order {
  url: string
  token: string
  readers: number
}

process.on('message', async ({ url, token, readers }: Order) => {
  const delays: number[] = []
  const opened: Promise<void>[] = []
  const ended: Promise<void>[] = []
  for (let at = 0; at < readers; at++) {
    const reader = read(new URL(url), token, delays)
    opened.push(reader.opened)
    ended.push(reader.ended)
    if (at % 20 === 19) await Promise.all(opened)
  }
  await Promise.all(opened)
  process.send?.('open')
  await Promise.all(ended)
  process.send?.(delays)
})
process.on('disconnect', () => process.exit())

function read({ hostname, port, host, pathname }: URL, token: string, delays: number[]) {
  const socket = connect(Number(port), hostname)
  socket.setEncoding('utf8').setNoDelay()
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n\r\n`,
  )
  let rest = ''
  let last = 0
  const opened = new Promise<void>((resolve) =>
    socket.once('data', (text: string) => {
      if (!text.startsWith('HTTP/1.1 200')) throw new Error(text)
      resolve()
    }),
  )
  socket.on('data', (text: string) => {
    const now = Date.now()
    rest += text
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const event = /"seq":(\d+),"ts":(\d+)/.exec(rest.slice(0, end))
      rest = rest.slice(end + 2)
      if (!event) continue
      if (Number(event[1]) !== last + 1) throw new Error(`${event[1]} came after ${last}`)
      last = Number(event[1])
      delays.push(now - Number(event[2]))
    }
    if (rest.includes('\r\n0\r\n')) socket.end()
  })
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { opened, ended }
}
