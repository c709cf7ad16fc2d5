const shown = new Set([
  'image/png',
  'image/jpeg',
  'video/webm',
  'text/plain',
  'application/json',
  'application/x-ndjson',
  'text/markdown',
])

/** Whether a browser may show this media type by itself; everything else is a download, because a trace holds what strangers wrote. */
export const isShown = (mediaType: string): boolean => shown.has(mediaType)
