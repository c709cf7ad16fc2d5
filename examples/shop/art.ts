import type { Product } from './catalogue.ts'

/** Drawings on a 200 × 200 ground. C is the colour, D its shade, L its light. */
const drawings: Record<string, string> = {
  mug: '<path d="M58 66h72v62a18 18 0 0 1-18 18H76a18 18 0 0 1-18-18z" fill="C"/><path d="M130 82h12a18 18 0 0 1 0 36h-12" fill="none" stroke="C" stroke-width="10"/><path d="M58 66h72v10H58z" fill="D"/><path d="M70 88v36" stroke="L" stroke-width="5"/>',
  shirt:
    '<path d="M76 52 46 68l-10 34 22 8v46h84v-46l22-8-10-34-30-16c-6 12-42 12-48 0z" fill="C"/><path d="M76 52c6 12 42 12 48 0l-8-2c-6 6-26 6-32 0z" fill="D"/><path d="M58 110V84m84 26V84" stroke="D" stroke-width="4"/>',
  lamp: '<path d="M100 150V92" stroke="D" stroke-width="8"/><path d="M78 48h44l22 48H56z" fill="C"/><path d="M70 150h60v8H70z" fill="D"/><path d="M56 96h88l16 44H40z" fill="L" opacity=".45"/>',
  planter:
    '<path d="M62 104h76l-10 52H72z" fill="C"/><path d="M56 94h88v14H56z" fill="D"/><path d="M100 94c0-36-30-44-40-44 0 26 14 44 40 44zm0 0c0-40 30-54 46-54 0 30-16 54-46 54z" fill="hsl(140 35% 45%)"/>',
  kettle:
    '<path d="M66 84h62l10 66H56z" fill="C"/><path d="M132 96c20 0 12-30 34-32" fill="none" stroke="C" stroke-width="9"/><path d="M72 84c0-36 50-36 50 0" fill="none" stroke="D" stroke-width="8"/><path d="M54 146h86v10H54z" fill="D"/>',
  bag: '<path d="M54 82h92l8 76H46z" fill="C"/><path d="M76 92V70a24 24 0 0 1 48 0v22" fill="none" stroke="D" stroke-width="7"/><path d="M84 122h32" stroke="L" stroke-width="6"/>',
  candle:
    '<path d="M74 88h52v68H74z" fill="C"/><path d="M74 88h52v12H74z" fill="L"/><path d="M100 88V72" stroke="D" stroke-width="4"/><path d="M100 36c16 18 12 36 0 36s-16-18 0-36z" fill="hsl(36 95% 58%)"/>',
  bowl: '<path d="M44 90h112c0 38-24 60-56 60s-56-22-56-60z" fill="C"/><ellipse cx="100" cy="90" rx="56" ry="14" fill="D"/><path d="M80 148h40v8H80z" fill="D"/>',
  towel:
    '<path d="M58 46h84v110H58z" fill="C"/><path d="M58 124h84M58 136h84" stroke="L" stroke-width="6"/><path d="M58 46h84v12H58z" fill="D"/><path d="M62 156v8m12-8v8m12-8v8m12-8v8m12-8v8m12-8v8m12-8v8" stroke="D" stroke-width="4"/>',
  board:
    '<rect x="60" y="70" width="80" height="90" rx="12" fill="C"/><rect x="90" y="38" width="20" height="40" rx="10" fill="C"/><circle cx="100" cy="50" r="5" fill="L"/><path d="M76 86v58m20-58v58m26-58v58" stroke="D" stroke-width="3" opacity=".5"/>',
  clock:
    '<circle cx="100" cy="100" r="56" fill="D"/><circle cx="100" cy="100" r="46" fill="L"/><path d="M100 68v32l22 14" fill="none" stroke="D" stroke-width="6" stroke-linecap="round"/>',
  hat: '<ellipse cx="100" cy="128" rx="72" ry="18" fill="C"/><path d="M64 124c0-64 72-64 72 0z" fill="C"/><path d="M62 112h76v14H62z" fill="D"/>',
  basket:
    '<path d="M50 92h100l-12 62H62z" fill="C"/><path d="M46 84h108v14H46z" fill="D"/><path d="M66 104l8 44m18-44 2 44m22-44-2 44m20-44-8 44" stroke="L" stroke-width="4"/><path d="M72 84c0-44 56-44 56 0" fill="none" stroke="D" stroke-width="6"/>',
  socks:
    '<path d="M78 44h32v60l30 22c12 10 2 28-16 26l-34-8c-8-4-12-10-12-20z" fill="C"/><path d="M78 44h32v16H78z" fill="D"/><path d="M140 128c10 10 0 26-16 24 0-14 6-22 16-24z" fill="L"/>',
  pan: '<circle cx="84" cy="104" r="48" fill="D"/><circle cx="84" cy="104" r="38" fill="C"/><path d="m122 78 44-30" stroke="D" stroke-width="14" stroke-linecap="round"/>',
  apron:
    '<path d="M78 60h44l4 34 18 8v54H56v-54l18-8z" fill="C"/><path d="M78 60c0-26 44-26 44 0" fill="none" stroke="D" stroke-width="5"/><path d="M76 116h48v24H76z" fill="D"/>',
}

/** The product's picture, as SVG. */
export function draw({ art, hue }: Product): string {
  const colours: Record<string, string> = {
    C: `hsl(${hue} 42% 56%)`,
    D: `hsl(${hue} 40% 36%)`,
    L: `hsl(${hue} 60% 88%)`,
  }
  const drawing = (drawings[art] ?? '').replace(/"([CDL])"/g, (_, name: string) => `"${colours[name]}"`)
  const ground = `<rect width="200" height="200" fill="hsl(${hue} 34% 91%)"/><ellipse cx="100" cy="162" rx="66" ry="9" fill="hsl(${hue} 25% 80%)"/>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">${ground}${drawing}</svg>`
}
