/** The compiler, with its parsers of Markdown and YAML, is nearly half of all modules: it comes with the first scenario. */
export const compiler = () => import('./compiled.ts')
