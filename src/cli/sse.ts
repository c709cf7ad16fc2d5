/** One server-sent event; `event` is `message` unless the server named it. */
export interface ServerEvent {
  event: string
  data: string
  id: string | undefined
}

/** The events of a stream, as they come. Comments (heartbeats) are passed over. */
export async function* readServerEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  const reader = body.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const blocks = (rest + decoder.decode(read.value, { stream: true })).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = readBlock(block)
      if (event) yield event
    }
  }
}

function readBlock(block: string): ServerEvent | undefined {
  const found: ServerEvent = { event: 'message', data: '', id: undefined }
  const data: string[] = []
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'event') found.event = value
    else if (field === 'id') found.id = value
  }
  found.data = data.join('\n')
  return data.length > 0 ? found : undefined
}
