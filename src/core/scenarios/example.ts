/** The scenario that the examples of the commands use: it needs nothing but a page with a heading. */
export const exampleId = '019301c0-cafe-7000-bea7-0000000000e1'
export const exampleScenario = `---
spec_version: '1.0'
id: ${exampleId}
slug: example-home
description: The home page greets its visitor.
tags: [example]
base_url: http://localhost:4100
---
# Home

## Steps
1. Navigate to /
2. Assert heading "Welcome" is visible
`
