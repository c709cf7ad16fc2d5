import { form } from '../form.ts'

/** The browser and its time, as the page sees them. */
export const world = [
  form('Set clock to <instant>', ({ instant }) => ({ verb: 'set_clock', at: instant })),
  form('Advance clock <duration>', ({ duration }) => ({ verb: 'advance_clock', ms: duration })),
  form('Set cookie <key:plain> to <value>', ({ key, value }) => ({ verb: 'set_cookie', key, value }), {
    check: ({ key }) => (isToken(key) ? undefined : 'The name of a cookie holds no spaces and no separators.'),
  }),
  form('Set header <key:plain> to <value>', ({ key, value }) => ({ verb: 'set_header', key, value }), {
    check: ({ key }) => (isToken(key) ? undefined : 'The name of a header holds no spaces and no separators.'),
  }),
  form('Set local storage <key:plain> to <value>', ({ key, value }) => ({ verb: 'set_local_storage', key, value })),
  form('Set geolocation <place:coordinates>', ({ place }) => ({ verb: 'set_geolocation', ...place })),
  form('Set color scheme <scheme:light|dark>', ({ scheme }) => ({ verb: 'set_color_scheme', scheme })),
  form('Allow <permission>', ({ permission }) => ({ verb: 'allow', permission })),
]

/** A token of RFC 9110, without a regular expression over what a user wrote. */
function isToken(name: string): boolean {
  const signs = "!#$%&'*+-.^_`|~"
  return [...name].every((char) => /^[0-9A-Za-z]$/.test(char) || signs.includes(char))
}
