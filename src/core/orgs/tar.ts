/** POSIX ustar: a header of 512 bytes before each file, whose bytes are filled up to a multiple of 512. */
export function tarHeader(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`A name in a tar file has at most 100 bytes: ${name}`)
  const header = Buffer.alloc(512)
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, '0')
  header.write(name, 0)
  header.write(octal(0o600, 8), 100)
  header.write(octal(0, 8), 108) // owner
  header.write(octal(0, 8), 116) // group
  header.write(octal(size, 12), 124)
  header.write(octal(Math.floor(Date.now() / 1000), 12), 136)
  header.write(' '.repeat(8), 148) // the checksum's own place counts as blanks
  header.write('0', 156) // a plain file
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 7)}\0 `, 148)
  return header
}

export const tarPadding = (size: number): Buffer => Buffer.alloc((512 - (size % 512)) % 512)
/** Two empty blocks. */
export const tarEnd = (): Buffer => Buffer.alloc(1024)
