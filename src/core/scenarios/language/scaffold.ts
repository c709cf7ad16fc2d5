import { uuidv7 } from './uuid.ts'

export interface NewScenario {
  slug: string
  title?: string
  base_url?: string
  /** UUIDv7; left out, a fresh one. */
  id?: string
}

/** The text of a valid starter scenario. */
export function newScenario({ slug, title, base_url, id = uuidv7() }: NewScenario): string {
  const heading = oneLine(title ?? '') || titleOf(slug)
  return `---
spec_version: '1.0'
id: ${id}
slug: ${quotedWhereNeeded(slug)}
description: ${JSON.stringify(`${heading}.`)}
priority: medium
tags: [smoke]${base_url === undefined ? '' : `\nbase_url: ${JSON.stringify(base_url)}`}
---
# ${heading}

What a person does here, and what must then be true.

## Steps
1. Navigate to /
2. Assert page status is 200
3. Assert no console errors
4. Screenshot {name: ${slug}, full_page: true}
`
}

/** `123`, `true` or `-` would be another YAML value than the text. */
function quotedWhereNeeded(slug: string): string {
  return /^[a-z][a-z0-9-]*$/.test(slug) && !['true', 'false', 'null', 'yes', 'no', 'on', 'off'].includes(slug)
    ? slug
    : JSON.stringify(slug)
}

function titleOf(slug: string): string {
  const words = slug.split('-').filter(Boolean).join(' ') || slug
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\0]+/g, ' ').trim()
}
