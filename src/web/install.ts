import type { FastifyInstance } from 'fastify'
import { type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { personOf, type WebOptions } from './scope.ts'

/** How an agent gets at this server: a click where its application has one, else what to paste. */
export function installPage(app: FastifyInstance, options: WebOptions): void {
  app.get('/install', async (request, reply) => {
    const { publicUrl } = await options.services()
    return sendPage(reply, {
      title: 'Connect your agent',
      person: await personOf(options, request),
      body: options.oauth ? connect(`${publicUrl}/mcp`) : onThisMachine,
    })
  })
}

const connect = (
  url: string,
): Html => html`<p>Molar is an MCP server at this address. Your application signs you in here, and asks what it may do.</p>
<pre><code>${url}</code></pre>
<h2>Cursor</h2>
<p><a class="button" href="${cursorLink(url)}">Add to Cursor</a></p>
<h2>VS Code</h2>
<p><a class="button" href="${codeLink(url)}">Add to VS Code</a></p>
<h2>Claude</h2>
<p><a class="button" href="https://claude.ai/settings/connectors">Open Claude’s connectors</a></p>
<p class="hint">Add a custom connector there, with the address above.</p>
<h2>Claude Code</h2>
<pre><code>claude mcp add --transport http molar ${url}</code></pre>
<h2>Other applications</h2>
<pre><code>${JSON.stringify({ mcpServers: { molar: { url } } }, undefined, 2)}</code></pre>
<h2>A terminal</h2>
<pre><code>npx -y @molar/guard login --api-url ${url.replace(/\/mcp$/, '')}</code></pre>
<p>Agents that read: <a href="/agents">what they need to know</a>, <a href="/llms.txt">llms.txt</a>.</p>`

const onThisMachine = html`<p>This installation is for one machine: agents on it start Molar themselves. In your project:</p>
<pre><code>npx -y @molar/guard init</code></pre>
<p>That sets up Cursor, VS Code and Claude Code. Agents that read: <a href="/agents">what they need to know</a>.</p>`

/** Cursor's deeplink takes the server's entry in base64. */
const cursorLink = (url: string): string =>
  `cursor://anysphere.cursor-deeplink/mcp/install?name=molar&config=${encodeURIComponent(
    Buffer.from(JSON.stringify({ url })).toString('base64'),
  )}`

/** VS Code's takes it as escaped JSON. */
const codeLink = (url: string): string =>
  `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: 'molar', type: 'http', url }))}`
