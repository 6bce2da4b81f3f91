// The extension in an editor that is not there: what it starts, and which schemas it gives. LOCKKEEPER names the binary.
'use strict';

const assert = require('node:assert');
const Module = require('node:module');
const test = require('node:test');

const started = [];
const stopped = [];
const contributors = [];
const commands = {};
const settings = { path: process.env.LOCKKEEPER || 'lockkeeper', ruleFolders: ['lockkeeper/rules'] };

const vscode = {
  Uri: { parse: (uri) => ({ path: new URL(uri).pathname }) },
  commands: { registerCommand: (name, run) => (commands[name] = run) },
  extensions: {
    getExtension: () => ({ activate: async () => ({ registerContributor: (...all) => contributors.push(all) }) }),
  },
  window: { showErrorMessage: (words) => assert.fail(words) },
  workspace: { getConfiguration: () => ({ get: (name) => settings[name] }), onDidChangeConfiguration: () => ({}) },
};

class LanguageClient {
  constructor(_id, _name, server, options) {
    Object.assign(this, { server, options });
  }
  async start() {
    started.push(this);
  }
  async stop() {
    stopped.push(this);
  }
}

const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === 'vscode') return vscode;
  if (name === 'vscode-languageclient/node') return { LanguageClient };
  return load(name, ...rest);
};
const extension = require('./extension.js');

test('it starts the server, gives the schemas, and starts anew when it is told to', async () => {
  await extension.activate({ subscriptions: [] });
  assert.deepStrictEqual(started[0].server, { command: settings.path, args: ['lsp'] });
  await commands['lockkeeper.restart']();
  assert.strictEqual(started.length, 2);
  assert.deepStrictEqual(stopped, [started[0]]);

  const [, schemaOf, contentOf] = contributors[0];
  assert.strictEqual(schemaOf('file:///shop/other.yaml'), undefined);
  const config = schemaOf('file:///shop/lockkeeper.yaml');
  const rule = schemaOf('file:///shop/lockkeeper/rules/drop-view.yaml');
  assert.ok(JSON.parse(await contentOf(config)).properties.migrations);
  assert.ok(JSON.parse(await contentOf(rule)).properties.severity);

  await extension.deactivate();
  assert.deepStrictEqual(stopped, started);
});
