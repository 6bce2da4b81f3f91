// Starts `lockkeeper lsp`, and gives the YAML extension the schemas of lockkeeper's files.
'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

const CONFIG = 'lockkeeper.yaml';
const SCHEME = 'lockkeeper-schema';

let client;

function setting(name) {
  return vscode.workspace.getConfiguration('lockkeeper').get(name);
}

async function start() {
  const server = { command: setting('path') || 'lockkeeper', args: ['lsp'] };
  client = new LanguageClient('lockkeeper', 'lockkeeper', server, {
    documentSelector: [
      { scheme: 'file', language: 'sql' },
      { scheme: 'file', pattern: '**/*.{sql,pgsql,psql}' },
      { scheme: 'file', language: 'yaml' },
    ],
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(`lockkeeper: \`${server.command} lsp\` does not start (${error.message}). Is lockkeeper.path right?`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) {
    await running.stop();
  }
}

/** Which of our schemas a file has: `config`, `rule`, or none. */
function schemaOf(uri) {
  const file = vscode.Uri.parse(uri).path;
  if (path.posix.basename(file) === CONFIG) {
    return 'config';
  }
  const folder = path.posix.dirname(file);
  const isRule = (setting('ruleFolders') || []).some((own) => folder === own || folder.endsWith(`/${own}`));
  return isRule ? 'rule' : undefined;
}

/** The binary makes the schema of the tables that it reads these files with. */
async function schema(which) {
  const cwd = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const options = { cwd, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(setting('path') || 'lockkeeper', ['schema', which], options)).stdout;
}

async function offerSchemas() {
  const yaml = vscode.extensions.getExtension('redhat.vscode-yaml');
  const api = await yaml?.activate();
  api?.registerContributor(
    'lockkeeper',
    (uri) => {
      const which = schemaOf(uri);
      return which && `${SCHEME}://schema/${which}`;
    },
    (uri) => schema(path.posix.basename(vscode.Uri.parse(uri).path)),
  );
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    vscode.commands.registerCommand('lockkeeper.restart', restart),
    vscode.workspace.onDidChangeConfiguration((event) => (event.affectsConfiguration('lockkeeper.path') ? restart() : undefined)),
  );
  await Promise.all([start(), offerSchemas()]);
}

module.exports = { activate, deactivate: stop };
