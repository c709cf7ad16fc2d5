import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const editorNames = ['claude', 'cursor', 'vscode'] as const
export type EditorName = (typeof editorNames)[number]

/** Where an editor looks for MCP servers in a project. */
export interface Editor {
  title: string
  file: string
  members: string
  entry: Record<string, unknown>
  /** Signs of it in the project, and in the home. */
  signs: { project: string[]; home: string[] }
}

const start = { command: 'npx', args: ['-y', '@molar/guard', 'mcp'] }

export const editors: Record<EditorName, Editor> = {
  claude: {
    title: 'Claude Code',
    file: '.mcp.json',
    members: 'mcpServers',
    entry: start,
    signs: { project: ['.mcp.json', '.claude', 'CLAUDE.md'], home: ['.claude', '.claude.json'] },
  },
  cursor: {
    title: 'Cursor',
    file: '.cursor/mcp.json',
    members: 'mcpServers',
    entry: start,
    signs: { project: ['.cursor', '.cursorrules'], home: ['.cursor'] },
  },
  vscode: {
    title: 'VS Code',
    file: '.vscode/mcp.json',
    members: 'servers',
    entry: { type: 'stdio', ...start },
    signs: { project: ['.vscode'], home: ['.vscode', '.vscode-server', '.config/Code'] },
  },
}

/** The editors of which the project or the user's home shows a sign. */
export function findEditors(folder: string): EditorName[] {
  return editorNames.filter((name) => {
    const { project, home } = editors[name].signs
    return (
      project.some((sign) => existsSync(join(folder, sign))) || home.some((sign) => existsSync(join(homedir(), sign)))
    )
  })
}
